// axe-core finds no violation of WCAG 2.2 A and AA in any state, language, scheme or width.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { start, visit } from './browser.js';
import { doubtfulEnglish, doubtfulUrdu, refusalNear, script, scriptAnswer } from './scripted.js';
import { ENGLISH, URDU } from './texts.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let server;
before(async () => { server = await start(); });
after(() => server.close());

async function check(page, state) {
  const { violations, passes } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), TAGS);
  assert.ok(passes.length > 10, 'axe checked next to nothing');
  const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`);
  assert.deepEqual(found, [], state);
}

async function ask(page, question, shown) {
  await page.locator('#question').fill(question);
  await page.locator('#question').press('Enter');
  await page.locator(`.turn:last-child ${shown}`).waitFor();
}

async function walk(page, language) {
  const urdu = language === 'ur';
  const document = urdu ? URDU : ENGLISH;
  const id = urdu ? server.documents.urdu : server.documents.english;
  await check(page, 'welcome');
  await scriptAnswer(page, urdu ? doubtfulUrdu(server.documents) : doubtfulEnglish(server.documents));
  await ask(page, document.question, '.answer-text');
  await check(page, 'answer');
  await page.locator('.marker').first().click();
  await page.locator('#cited').waitFor();
  await check(page, 'source');
  await page.locator('#passage-close').click();
  await scriptAnswer(page, refusalNear(id, document, document.quoted));
  await ask(page, document.question, '.refusal');
  await check(page, 'refusal');
  await script(page, { event: 'error', data: { title: 'Upstream', status: 503, detail: 'the model is away', instance: 'request-77' } });
  await ask(page, document.question, '.problem');
  await check(page, 'problem');
  if (await page.locator('#documents-open').isVisible()) {
    await page.locator('#documents-open').click();
    await check(page, 'documents');
  }
  await page.locator('#document-list button').first().click();
  await check(page, 'confirmation');
  await page.keyboard.press('Escape');
  if (await page.locator('#documents-close').isVisible()) await page.locator('#documents-close').click();
  await page.locator('#key-open').click();
  await page.locator('#key').fill('not a key');
  await page.keyboard.press('Enter');
  await page.locator('#key-error').waitFor();
  await check(page, 'key');
}

for (const language of ['en', 'ur']) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      test(`${language}, ${colorScheme}, ${width} pixels`, async () => {
        const page = await server.open({ language, colorScheme, width, reducedMotion: 'reduce' });
        await page.addInitScript({ path: AXE });
        await visit(page, server.url);
        await page.locator('#document-list li').first().waitFor({ state: 'attached' });
        await walk(page, language);
        await page.context().close();
      });
    }
  }
}
