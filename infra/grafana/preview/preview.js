// Draws the dashboards over a Prometheus in Chromium, takes screenshots, and fails when a panel cannot be drawn, shows nothing
// though it should, or more than anybody can read.

import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const BOARDS = ['on-call', 'product', 'cost'];
const FOLDERS = { html: 'page/', js: 'page/', json: '../' };
const MEDIA_TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', json: 'application/json' };
// Nothing is wrong when these have nothing to show.
const EMPTY_WHEN_WELL = ['Questions that failed, by kind', 'Stages done without', 'Circuit breakers', 'Ingestion tried again', 'Refused by a limit', 'Age of the last drill'];
const MAX_SERIES = 20;
const MAX_NAME = 40;
const LIMIT_MS = 60_000;

const { values: options } = parseArgs({ options: {
  prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
  to: { type: 'string', default: String(Math.floor(Date.now() / 1_000)) },
  minutes: { type: 'string', default: '15' },
  scrape: { type: 'string', default: '15' },
  out: { type: 'string', default: 'shots' },
} });

async function answer({ url }, response) {
  if (url.startsWith('/api/v1/query_range?')) {
    const found = await fetch(new URL(url, options.prometheus), { signal: AbortSignal.timeout(LIMIT_MS) });
    response.writeHead(found.status, { 'Content-Type': MEDIA_TYPES.json });
    return response.end(await found.text());
  }
  const [, name, kind] = /^\/([\w.-]+\.(\w+))(?:\?.*)?$/.exec(url) ?? [];
  const folder = name?.startsWith('uPlot.') ? 'node_modules/uplot/dist/' : FOLDERS[kind];
  response.setHeader('Content-Type', MEDIA_TYPES[kind] ?? 'text/plain');
  return response.end(folder ? await readFile(new URL(folder + name, import.meta.url)) : '');
}

/** Returns what is wrong with a panel, or nothing. */
function fault({ title, names, error }) {
  if (error) return error;
  if (names.length === 0 && !EMPTY_WHEN_WELL.includes(title)) return 'no data';
  if (names.length > MAX_SERIES) return `${names.length} series`;
  return names.some((name) => name.length === 0 || name.length > MAX_NAME) ? `unreadable legend: ${names}` : undefined;
}

async function shoot(browser, board, server) {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 720 } });
  const [to, scrape] = [Number(options.to), Number(options.scrape)];
  const query = new URLSearchParams({ board, from: to - Number(options.minutes) * 60, to, scrape });
  await page.goto(`http://127.0.0.1:${server.address().port}/index.html?${query}`);
  await page.waitForFunction('window.drawn', undefined, { timeout: LIMIT_MS });
  await page.screenshot({ path: join(options.out, `dashboard-${board}.png`), fullPage: true });
  const panels = await page.evaluate('window.drawn');
  const faults = panels.map((panel) => [panel.title, fault(panel)]).filter(([, what]) => what);
  for (const [title, what] of faults) console.error(`${board}: ${title}: ${what}`);
  const full = panels.filter(({ names }) => names.length > 0);
  console.log(`${board}: ${panels.length} panels, ${full.length} with data, ${faults.length} faults`);
  return { faults: faults.length, titles: panels.map(({ title }) => title) };
}

await mkdir(options.out, { recursive: true });
const server = createServer((request, response) => {
  answer(request, response).catch(({ message, cause }) => {
    const error = `${options.prometheus}: ${cause?.message ?? message}`;
    response.writeHead(502).end(JSON.stringify({ status: 'error', error }));
  });
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const executablePath = process.env.CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const shot = [];
for (const board of BOARDS) shot.push(await shoot(browser, board, server));
await browser.close();
server.close();
const titles = shot.flatMap((board) => board.titles);
const gone = EMPTY_WHEN_WELL.filter((title) => !titles.includes(title));
if (gone.length > 0) console.error(`may be empty but are on no dashboard: ${gone.join(', ')}`);
process.exitCode = gone.length > 0 || shot.some(({ faults }) => faults > 0) ? 1 : 0;
