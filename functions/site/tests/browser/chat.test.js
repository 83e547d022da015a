// Asking: the stream, the answer, its citations, and what can go wrong.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { askAndWait, start, visit } from './browser.js';
import { answerOf, citationOf, doubtfulEnglish, refusalNear, script, scriptAnswer } from './scripted.js';
import { ENGLISH, URDU } from './texts.js';

let server;
let page;
before(async () => { server = await start(); });
after(() => server.close());

async function fresh(options) {
  page = await server.open(options);
  await visit(page, server.url);
}

async function finish() {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

async function ask(question) {
  await page.locator('#question').fill(question);
  await page.locator('#question').press('Enter');
}

const lastTurn = (selector) => page.locator(`.turn:last-child ${selector}`);

describe('an answer', () => {
  for (const [language, document, direction] of [['en', ENGLISH, 'ltr'], ['ur', URDU, 'rtl']]) {
    test(`streams in ${language}, and its citation opens at exactly the quoted bytes`, async () => {
      await fresh({ language });
      assert.equal(await page.locator('html').getAttribute('dir'), direction);
      const done = await askAndWait(page, document.question);
      assert.equal(done.refused, false);
      assert.equal(await lastTurn('.answer-text').getAttribute('dir'), direction);
      const citation = done.citations.find(({ quote }) => quote.includes(document.quoted));
      assert.ok(citation, JSON.stringify(done.citations));
      await lastTurn('.marker').filter({ hasText: `[${citation.id}]` }).first().click();
      const mark = page.locator('#cited');
      await mark.waitFor();
      assert.equal(await mark.textContent(), citation.quote);
      assert.ok(document.text.includes(citation.quote), 'the quote is not in the uploaded text');
      assert.equal(await page.locator('.document-text').getAttribute('dir'), direction);
      assert.equal(await page.locator('#passage-name').textContent(), document.name);
      assert.equal(await page.locator('#passage .notice').count(), 0);
      await finish();
    });
  }

  test('carries the session on to the next question', async () => {
    await fresh();
    const first = await askAndWait(page, ENGLISH.question);
    const sent = page.waitForRequest('**/v1/query');
    await ask('And how long are they kept?');
    assert.equal((await sent).postDataJSON().session_id, first.session_id);
    await lastTurn(':is(.answer-text, .refusal)').waitFor();
    // What the follow-up was taken to mean stands above its answer, and above no other.
    assert.match(await lastTurn('.understood-text').textContent(), /kept.*backups|backups.*kept/i);
    assert.equal(await page.locator('.understood').count(), 1);
    await page.locator('#new').click();
    assert.equal(await page.locator('.turn').count(), 0);
    const anew = page.waitForRequest('**/v1/query');
    await ask(ENGLISH.question);
    assert.equal((await anew).postDataJSON().session_id, null);
    await finish();
  });

  test('marks doubtful sentences in words', async () => {
    await fresh();
    await scriptAnswer(page, doubtfulEnglish(server.documents));
    await ask(ENGLISH.question);
    await lastTurn('.answer-text').waitFor();
    assert.deepEqual(await lastTurn('.verdict').allTextContents(), ['partly supported', 'not supported']);
    assert.match(await lastTurn('.unsupported').textContent(), /text message/);
    assert.match(await lastTurn('.doubt').textContent(), /^2 sentences/);
    await page.locator('#language-ur').click();
    assert.deepEqual(await lastTurn('.verdict').allTextContents(), ['جزوی تائید', 'تائید نہیں ملی']);
    await finish();
  });

  test('says what an answer did without', async () => {
    await fresh();
    const quoted = [['Backups run daily at 03:00 UTC and take about twenty minutes. [1]', [1], 'supported']];
    const citation = citationOf(1, server.documents.english, ENGLISH, ENGLISH.quoted);
    await scriptAnswer(page, { ...answerOf(quoted, [citation]), mode: 'extractive', degraded: ['generate', 'unheard_of'] });
    await ask(ENGLISH.question);
    assert.deepEqual(await lastTurn('.without').allTextContents(), ['The language model did not answer']);
    await page.locator('#language-ur').click();
    assert.deepEqual(await lastTurn('.without').allTextContents(), ['زبان کے ماڈل نے جواب نہیں دیا']);
    await page.locator('#language-en').click();
    await finish();
  });

  test('steps through its sources', async () => {
    await fresh();
    await scriptAnswer(page, doubtfulEnglish(server.documents));
    await ask(ENGLISH.question);
    await lastTurn('.source').nth(1).click();
    const mark = page.locator('#cited');
    await mark.getByText('Each backup is kept').waitFor();
    await page.locator('#passage-next').click();
    await mark.getByText('On the first Monday').waitFor();
    assert.equal(await page.locator('#passage-next').isDisabled(), true);
    await page.locator('#passage-previous').click();
    await page.locator('#passage-previous').click();
    await mark.getByText('Backups run daily').waitFor();
    await finish();
  });

  test('shows markup in names and texts as text', async () => {
    await fresh();
    const evil = '<img src=x onerror="document.title=1"><b>bold</b>';
    const citation = { ...citationOf(1, server.documents.english, ENGLISH, ENGLISH.quoted), document_name: evil };
    await scriptAnswer(page, answerOf([[`${evil} [1]`, [1], 'supported']], [citation]));
    await ask(evil);
    await lastTurn('.marker').click();
    await page.locator('#cited').waitFor();
    assert.equal(await page.locator('.turn :is(img, b), #passage :is(img, b)').count(), 0);
    assert.equal(await page.locator('#passage-name').textContent(), evil);
    assert.equal(await lastTurn('.question-text').textContent(), evil);
    await finish();
  });

  test('that is refused says so and opens the nearest passage', async () => {
    await fresh();
    const words = 'Nobody needs to be awake for it.';
    await scriptAnswer(page, refusalNear(server.documents.english, ENGLISH, words));
    await ask('Is there coffee?');
    await lastTurn('.refusal').getByText('Your documents do not answer this').waitFor();
    assert.equal(await lastTurn('.answer-text').count(), 0);
    await lastTurn('.source').click();
    await page.locator('#cited').getByText(words, { exact: true }).waitFor();
    await finish();
  });
});

describe('a source', () => {
  test('that changed or is gone shows the cited words and says so', async () => {
    await fresh();
    const citation = citationOf(1, server.documents.english, ENGLISH, ENGLISH.quoted);
    const moved = { ...citation, id: 2, start: citation.start + 3, end: citation.end + 3 };
    const gone = { ...citation, id: 3, document_id: '01ABSENT000000000000000000' };
    await scriptAnswer(page, answerOf([['Daily [1] [2] [3].', [1, 2, 3], 'supported']], [citation, moved, gone]));
    await page.route('**/01ABSENT*/text*', (route) => route.fulfill({
      status: 404, contentType: 'application/problem+json', body: '{"title":"Not found","status":404,"detail":"gone"}',
    }));
    await ask(ENGLISH.question);
    await lastTurn('.marker').nth(1).click();
    await page.locator('#passage blockquote').getByText(ENGLISH.quoted, { exact: true }).waitFor();
    await page.locator('#passage-next').click();
    await page.locator('#passage').getByText('can no longer be read').waitFor();
    assert.equal(await page.locator('#passage blockquote').textContent(), ENGLISH.quoted);
    await finish();
  });

  test('shows a window of a long document and more on demand', async () => {
    await fresh();
    const lines = Array.from({ length: 2000 }, (_, number) => `الف é line ${number}.`);
    const text = `${lines.join('\n')}HERE${lines.join('\n')}`;
    const bytes = Buffer.from(text);
    const startAt = bytes.indexOf('HERE');
    await page.route('**/01LONG*/text*', (route) => {
      const query = new URL(route.request().url()).searchParams;
      let [start, end] = [Number(query.get('start')), Math.min(Number(query.get('end')), bytes.length)];
      while ((bytes[start] & 0xc0) === 0x80) start -= 1;
      while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end += 1;
      return route.fulfill({ json: { document_id: '01LONG', version: 1, start, end, text: bytes.subarray(start, end).toString(), total_bytes: bytes.length } });
    });
    const citation = { id: 1, document_id: '01LONG00000000000000000000', document_name: 'long', version: 1, page: 3, line: 2001, start: startAt, end: startAt + 4, quote: 'HERE' };
    await scriptAnswer(page, answerOf([['There [1].', [1], 'supported']], [citation]));
    await ask('where?');
    await lastTurn('.marker').click();
    const mark = page.locator('#cited');
    await mark.waitFor();
    const shown = await page.locator('.document-text').textContent();
    assert.ok(shown.includes('line 1950.') && shown.includes('line 40.'), shown);
    assert.ok(!shown.includes('line 1850.') && !shown.includes('line 150.'), shown);
    await page.locator('.more').first().click();
    await page.locator('.document-text', { hasText: 'line 1850.' }).waitFor();
    await page.locator('.more').last().click();
    await page.locator('.document-text', { hasText: 'line 150.' }).waitFor();
    assert.equal(await mark.textContent(), 'HERE');
    assert.equal(await page.locator('#passage .notice').count(), 0);
    await finish();
  });
});

describe('the stream', () => {
  // Replaces fetch by a stream that the test feeds.
  const holdStream = () => {
    const original = window.fetch;
    window.fetch = (address, init) => {
      if (!String(address).endsWith('/v1/query')) return original(address, init);
      const encoder = new TextEncoder();
      const body = new ReadableStream({
        start(controller) {
          window.feed = (event, data) => controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
          window.end = () => controller.close();
          init.signal.addEventListener('abort', () => controller.error(init.signal.reason));
        },
      });
      return Promise.resolve(new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }));
    };
  };

  test('shows a draft as it comes, keeps it from screen readers, and stops', async () => {
    page = await server.open();
    await page.addInitScript(holdStream);
    await visit(page, server.url);
    await ask('anything');
    await page.locator('#send.stop').waitFor();
    await page.evaluate(() => window.feed('retrieval', { passages: [{}, {}] }));
    await lastTurn('.waiting').getByText('Found 2 passages').waitFor();
    await page.evaluate(() => window.feed('token', { text: 'A draft' }));
    await page.evaluate(() => window.feed('token', { text: ' grows' }));
    await lastTurn('.draft').getByText('A draft grows', { exact: true }).waitFor();
    assert.equal(await lastTurn('.draft').getAttribute('aria-hidden'), 'true');
    await page.locator('#send').click();
    await lastTurn('.notice').getByText('not checked').waitFor();
    assert.equal(await lastTurn('.draft').textContent(), 'A draft grows');
    assert.equal(await page.locator('#send').textContent(), 'Ask');
    await finish();
  });

  test('that ends without an answer is an error', async () => {
    page = await server.open();
    await page.addInitScript(holdStream);
    await visit(page, server.url);
    await ask('anything');
    await page.locator('#send.stop').waitFor();
    await page.evaluate(() => { window.feed('token', { text: 'half' }); window.end(); });
    await lastTurn('.problem').getByText('The answer broke off').waitFor();
    assert.equal(await lastTurn('.draft').count(), 0);
    await finish();
  });
});

describe('a problem', () => {
  test('in the stream shows its detail, the remedy and the request', async () => {
    await fresh();
    await script(page, { event: 'error', data: { title: 'Upstream', status: 503, detail: 'the model is away', instance: 'request-77' } });
    await ask(ENGLISH.question);
    await lastTurn('.problem').waitFor();
    const text = await lastTurn('.problem').textContent();
    for (const part of ['the model is away', 'Try again in a minute', 'request-77']) assert.ok(text.includes(part), text);
    await page.unroute('**/v1/query');
    await lastTurn('.problem button').click();
    await lastTurn('.answer-text').waitFor();
    await finish();
  });

  test('before the stream says how long to wait, and which field is wrong', async () => {
    await fresh();
    await page.route('**/v1/query', (route) => route.fulfill({
      status: 429, headers: { 'Retry-After': '7', 'Content-Type': 'application/problem+json' },
      body: JSON.stringify({ title: 'Too many requests', detail: 'the key is over its rate', errors: [{ pointer: '/question', detail: 'too long' }] }),
    }));
    await ask(ENGLISH.question);
    await lastTurn('.problem').waitFor();
    const text = await lastTurn('.problem').textContent();
    for (const part of ['over its rate', 'Wait 7 seconds', '/question: too long']) assert.ok(text.includes(part), text);
    await finish();
  });

  test('of the network or a proxy that does not speak JSON still reads well', async () => {
    await fresh();
    await page.route('**/v1/query', (route) => route.abort());
    await ask(ENGLISH.question);
    await lastTurn('.problem').getByText('cannot be reached').waitFor();
    await page.unroute('**/v1/query');
    await page.route('**/v1/query', (route) => route.fulfill({ status: 502, body: '<html>Bad gateway</html>' }));
    await lastTurn('.problem button').click();
    await lastTurn('.problem').getByText('The server could not do this').waitFor();
    assert.ok(!(await lastTurn('.problem').textContent()).includes('<html>'));
    await finish();
  });
});
