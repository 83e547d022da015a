// Starts what the tests drive: Debian's Chromium against LECTERN_TEST_URL or the stub.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { ENGLISH, URDU } from './texts.js';
import { startStub } from './stub.js';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--no-first-run',
];
const READY_LIMIT_MS = 60_000;

function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  throw new Error('no chromium: install the package `chromium` or set CHROMIUM');
}

/**
 * Starts a browser and a server that holds the two documents of texts.js, ready.
 * Returns `{ url, open, documents, close }`; `open(options)` gives a page of a fresh profile.
 */
export async function start() {
  const stub = process.env.LECTERN_TEST_URL ? null : await startStub();
  const url = new URL(process.env.LECTERN_TEST_URL ?? stub.url).href;
  const browser = await chromium.launch({ executablePath: chromiumPath(), headless: true, args: FLAGS });
  const added = [await addDocument(url, ENGLISH), await addDocument(url, URDU)];
  await Promise.all(added.map((id) => isReady(url, id)));
  // Offsets count the canonical text, which is not the uploaded Markdown.
  for (const [at, document] of [ENGLISH, URDU].entries()) document.canonical = await canonicalText(url, added[at]);
  return {
    url,
    documents: { english: added[0], urdu: added[1] },
    async open({ language = 'en', width = 1280, height = 800, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, locale: language, ...options });
      await context.addInitScript(keepStreams);
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      page.faults = [];
      page.on('pageerror', (error) => page.faults.push(String(error)));
      page.on('console', (message) => {
        if (/Content Security Policy|Trusted Type/i.test(message.text())) page.faults.push(message.text());
      });
      return page;
    },
    async close() {
      await browser.close();
      for (const id of added) await fetch(new URL(`v1/documents/${id}`, url), { method: 'DELETE' });
      await stub?.close();
    },
  };
}

async function addDocument(url, { name, text }) {
  const body = new FormData();
  body.set('file', new File([text], name, { type: 'text/markdown' }));
  const response = await fetch(new URL('v1/documents', url), { method: 'POST', body });
  if (!response.ok) throw new Error(`upload of ${name}: ${response.status} ${await response.text()}`);
  return (await response.json()).id;
}

async function canonicalText(url, id) {
  const response = await fetch(new URL(`v1/documents/${id}/text`, url));
  return (await response.json()).text;
}

async function isReady(url, id) {
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  for (;;) {
    const response = await fetch(new URL('v1/documents?collection=default&limit=50', url), { signal: limit });
    const { documents } = await response.json();
    const document = documents.find((entry) => entry.id === id);
    if (document?.state === 'ready') return;
    if (document?.state === 'failed') throw new Error(`${document.name}: ${document.failure.detail}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

// Runs in the page: the protocol does not hand out the body of a stream that a script reads.
function keepStreams() {
  const original = window.fetch;
  window.fetch = async (...request) => {
    const response = await original(...request);
    if (response.ok && response.url.endsWith('/v1/query')) window.lastStream = response.clone().text();
    return response;
  };
}

/** Opens the chat page and waits until it has started. */
export async function visit(page, url) {
  await page.goto(url);
  await page.locator('html[data-started]').waitFor();
}

/** Asks and waits for the checked answer; returns the `done` event as it came over the wire. */
export async function askAndWait(page, question) {
  await page.locator('#question').fill(question);
  await page.locator('#question').press('Enter');
  await page.locator('.turn:last-child :is(.answer-text, .refusal)').waitFor();
  const stream = await page.evaluate(() => window.lastStream);
  const done = stream.replaceAll('\r', '').split('\n\n').find((event) => event.startsWith('event: done'));
  return JSON.parse(done.split('\n').find((line) => line.startsWith('data:')).slice(5));
}
