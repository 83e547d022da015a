// Pictures of the page for people to look at: `node shots.js FOLDER`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { start, visit } from './browser.js';
import { doubtfulEnglish, doubtfulUrdu, refusalNear, script, scriptAnswer } from './scripted.js';
import { ENGLISH, URDU } from './texts.js';

const folder = process.argv[2] ?? 'shots';
await mkdir(folder, { recursive: true });
const server = await start();

async function ask(page, question) {
  await page.locator('#question').fill(question);
  await page.locator('#question').press('Enter');
  await page.locator('.turn:last-child .notice').waitFor();
}

async function series(language, size, colorScheme) {
  const [width, height] = size;
  const urdu = language === 'ur';
  const page = await server.open({ language, width, height, colorScheme, reducedMotion: 'reduce' });
  const shot = (name) => page.screenshot({ path: join(folder, `${language}-${width}-${colorScheme}-${name}.png`) });
  await visit(page, server.url);
  await page.locator('#document-list li').first().waitFor({ state: 'attached' });
  await shot('1-welcome');
  await scriptAnswer(page, urdu ? doubtfulUrdu(server.documents) : doubtfulEnglish(server.documents));
  await ask(page, urdu ? URDU.question : ENGLISH.question);
  await shot('2-answer');
  await page.locator('.marker').first().click();
  await page.locator('#cited').waitFor();
  await shot('3-source');
  await page.locator('#passage-close').click();
  const [id, document, words] = urdu ? [server.documents.urdu, URDU, 'رکنیت مفت ہے'] : [server.documents.english, ENGLISH, 'Nobody needs to be awake for it.'];
  await scriptAnswer(page, refusalNear(id, document, words));
  await ask(page, urdu ? 'کتب خانے میں چائے ملتی ہے؟' : 'Is there coffee during the night shift?');
  await shot('4-refusal');
  await script(page, { event: 'error', data: { title: 'Upstream unavailable', status: 503, detail: 'the language model did not answer in time', instance: '01JD8Z6Q5E9V' } });
  await ask(page, urdu ? URDU.question : ENGLISH.question);
  await shot('5-problem');
  if (width < 1000) {
    await page.locator('#documents-open').click();
    await shot('6-documents');
    await page.locator('#documents-close').click();
  } else {
    await page.locator('#document-list button').first().click();
    await shot('6-confirm');
    await page.locator('#confirm-dialog .quiet').click();
  }
  await page.locator('#key-open').click();
  await shot('7-key');
  await page.context().close();
}

for (const size of [[1280, 800], [390, 844]]) {
  for (const language of ['en', 'ur']) {
    for (const scheme of ['light', 'dark']) await series(language, size, scheme);
  }
}
await server.close();
