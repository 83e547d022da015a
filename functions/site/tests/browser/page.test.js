// The page around the answers: keyboard, key, documents, languages, phones.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { askAndWait, start, visit } from './browser.js';
import { doubtfulEnglish, scriptAnswer } from './scripted.js';
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

const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);

async function pressUntil(key, wanted, limit = 40) {
  const met = [];
  for (let presses = 0; presses < limit; presses += 1) {
    await page.keyboard.press(key);
    met.push(await focused());
    if (wanted(met.at(-1))) return;
  }
  assert.fail(`${key} met only ${met.join(', ')}`);
}

test('the keyboard alone asks, reads a source and returns', async () => {
  await fresh();
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'skip');
  await page.keyboard.press('Enter');
  await page.locator('#question:focus').waitFor();
  await page.keyboard.type('At what time do');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('the daily backups run?');
  assert.equal(await page.locator('#question').inputValue(), 'At what time do\nthe daily backups run?');
  await page.keyboard.press('Enter');
  await page.locator('.turn:last-child .answer-text').waitFor();
  assert.equal(await focused(), 'question');
  await pressUntil('Shift+Tab', (name) => name === 'marker');
  await page.keyboard.press('Enter');
  await page.locator('#cited').waitFor();
  assert.equal(await focused(), 'passage-title');
  await pressUntil('Tab', (name) => name === 'passage-body', 6);
  await page.keyboard.press('Escape');
  await page.locator('#passage').waitFor({ state: 'hidden' });
  assert.equal(await focused(), 'marker');
  await finish();
});

test('a key is asked for on 401, again when refused, and kept for the tab', async () => {
  page = await server.open();
  await page.route('**/v1/**', (route) => {
    const { authorization, ...headers } = route.request().headers();
    if (authorization === 'Bearer lk_right') return route.continue({ headers });
    return route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"title":"Unauthorized","status":401,"detail":"a key is needed"}' });
  });
  await visit(page, server.url);
  await page.locator('#documents-note').getByText('asks for an API key').waitFor();
  await page.locator('#question').fill(ENGLISH.question);
  await page.locator('#question').press('Enter');
  await page.locator('#key:focus').waitFor();
  await page.keyboard.type('کلید');
  await page.keyboard.press('Enter');
  await page.locator('#key-error').getByText('letters, digits and signs').waitFor();
  await page.locator('#key').fill('lk_wrong');
  await page.keyboard.press('Enter');
  await page.locator('#key-error').getByText('did not accept').waitFor();
  await page.locator('#key').fill('lk_right');
  await page.keyboard.press('Enter');
  await page.locator('.turn .answer-text').waitFor();
  await page.locator('#document-list').getByText(ENGLISH.name).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('lectern.key')), 'lk_right');
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes('lk_right'));
  await page.locator('#key-open').click();
  await page.locator('#key-forget').click();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('lectern.key')), null);
  await finish();
});

test('cancelling the key leaves the question to be asked again', async () => {
  await fresh();
  await page.route('**/v1/query', (route) => route.fulfill({ status: 401, body: '' }));
  await page.locator('#question').fill(ENGLISH.question);
  await page.locator('#question').press('Enter');
  await page.locator('#key:focus').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.turn .problem').getByText('An API key is needed').waitFor();
  await page.unroute('**/v1/query');
  await page.locator('.turn .problem button').click();
  await page.locator('.turn .answer-text').waitFor();
  await finish();
});

const rowOf = (name) => page.locator('#document-list li').filter({ hasText: name });

test('a picked file is read, answers, and is deleted after a second look', async () => {
  await fresh();
  const name = `tide-${process.pid}.md`;
  const text = '# Tides\n\nThe lighthouse lamp is polished every second Thursday by the harbour keeper.\n';
  await page.locator('#file').setInputFiles({ name, mimeType: 'text/markdown', buffer: Buffer.from(text) });
  await rowOf(name).locator('.state.ready').waitFor();
  const done = await askAndWait(page, 'How often is the lighthouse lamp polished?');
  assert.ok(done.citations.some((citation) => citation.document_name === name), JSON.stringify(done.citations));
  await rowOf(name).locator('button').click();
  await page.locator('#confirm-text').getByText(name).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.value), 'keep');
  await page.keyboard.press('Enter');
  await page.locator('#confirm-dialog').waitFor({ state: 'hidden' });
  assert.equal(await rowOf(name).count(), 1);
  await rowOf(name).locator('button').click();
  await page.locator('#confirm-dialog .danger').click();
  await page.locator('#documents-notice').getByText('0 remain').waitFor();
  assert.equal(await rowOf(name).count(), 0);
  assert.ok(await page.evaluate(() => document.activeElement.closest('#documents') !== null), 'focus was lost');
  await finish();
});

test('dropped files are added; one that cannot be read says why', async () => {
  await fresh();
  const name = `نوٹ-${process.pid}.txt`;
  await page.evaluate((fileName) => {
    const carried = new DataTransfer();
    carried.items.add(new File(['The spare key hangs behind the clock in the hall.'], fileName, { type: 'text/plain' }));
    carried.items.add(new File([new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 1])], 'program.bin'));
    const fire = (kind) => document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
    fire('dragenter');
    window.veilShown = !document.getElementById('drop').hidden;
    fire('dragover');
    fire('drop');
  }, name);
  assert.equal(await page.evaluate(() => window.veilShown), true);
  assert.equal(await page.locator('#drop').isHidden(), true);
  await page.locator('#uploads .problem').waitFor();
  assert.match(await page.locator('#uploads').textContent(), /program\.bin/);
  await page.locator('#uploads .upload-head button').click();
  assert.equal(await page.locator('#uploads li').count(), 0);
  await rowOf(name).locator('.state.ready').waitFor();
  await rowOf(name).locator('button').click();
  await page.locator('#confirm-dialog .danger').click();
  await rowOf(name).waitFor({ state: 'detached' });
  await finish();
});

test('the list is asked for again only while something is under way', async () => {
  page = await server.open();
  await page.clock.install();
  let lists = 0;
  let documents = [];
  await page.route('**/v1/documents?*', (route) => {
    lists += 1;
    return route.fulfill({ json: { documents, next_cursor: null } });
  });
  await visit(page, server.url);
  await page.locator('#documents-note').getByText('No documents yet').waitFor();
  await page.clock.runFor('10:00');
  assert.equal(lists, 1);
  const document = { id: 'D', name: 'report.pdf', size_bytes: 2_400_000, state: 'processing', failure: null, progress: { chunks_done: 3, chunks_total: 8 } };
  documents = [document];
  await page.reload();
  await rowOf('report.pdf').locator('progress').waitFor();
  assert.equal(await rowOf('report.pdf').locator('progress').getAttribute('aria-label'), '3 of 8 parts read');
  documents = [{ ...document, state: 'failed', failure: { code: 'encrypted', detail: 'the file is encrypted; remove its password' } }];
  await page.clock.runFor(2_000);
  await rowOf('report.pdf').getByText('remove its password').waitFor();
  await page.locator('#documents-notice').getByText('could not be added').waitFor();
  const settled = lists;
  await page.clock.runFor('10:00');
  assert.equal(lists, settled);
  await finish();
});

test('a long list is shown page by page', async () => {
  page = await server.open();
  const document = (id) => ({ id, name: `${id}.md`, size_bytes: 10, state: 'ready', failure: null, progress: null });
  await page.route('**/v1/documents?*', (route) => {
    const second = route.request().url().includes('cursor=next');
    return route.fulfill({ json: { documents: [document(second ? 'second' : 'first')], next_cursor: second ? null : 'next' } });
  });
  await visit(page, server.url);
  await rowOf('first.md').waitFor();
  assert.equal(await rowOf('second.md').count(), 0);
  await page.locator('#documents-more').click();
  await rowOf('second.md').waitFor();
  assert.equal(await rowOf('first.md').count(), 1);
  assert.equal(await page.locator('#documents-more').isHidden(), true);
  await finish();
});

test('the language is switched, remembered and taken from the address', async () => {
  await fresh();
  await page.locator('#language-ur').click();
  assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
  assert.equal(await page.locator('#question').getAttribute('placeholder'), 'اپنا سوال لکھیں…');
  await visit(page, server.url);
  assert.equal(await page.locator('html').getAttribute('lang'), 'ur');
  await visit(page, `${server.url}?lang=en`);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await finish();
});

for (const [language, width] of [['en', 390], ['ur', 390], ['en', 320]]) {
  test(`at ${width} pixels in ${language} nothing runs off the page and sources are dialogs`, async () => {
    await fresh({ language, width, height: 844 });
    await scriptAnswer(page, doubtfulEnglish(server.documents));
    await page.locator('#question').fill(URDU.question);
    await page.locator('#send').click();
    await page.locator('.turn .answer-text').waitFor();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(await overflow() <= 0, `${await overflow()} pixels too wide`);
    await page.locator('.marker').first().click();
    await page.locator('#passage:modal #cited').waitFor();
    assert.ok(await overflow() <= 0);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator('#passage:not(:modal) #cited').waitFor();
    await page.setViewportSize({ width, height: 844 });
    await page.locator('#passage:modal').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#passage').waitFor({ state: 'hidden' });
    await page.locator('#documents-open').click();
    await page.locator('#documents-dialog:modal').getByText(ENGLISH.name).waitFor();
    await page.locator('#documents-close').click();
    await page.locator('#documents-dialog').waitFor({ state: 'hidden' });
    await finish();
  });
}
