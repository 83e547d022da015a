// A small server of the page and of the API it talks to, for tests without `lectern serve`.
// Answers are extractive: the uploaded sentence that shares most words with the question.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

const ASSETS = new URL('../../assets/', import.meta.url);
const RELEASE = 'stub';
const MEDIA_TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
const CHUNK_BYTES = 7;

/** Starts the server on a free port of the loopback; returns `{ url, close }`. */
export async function startStub() {
  const stub = new Stub(await policy());
  const server = createServer((request, response) => {
    stub.answer(request, response).catch((error) => {
      response.writeHead(500, { 'Content-Type': 'text/plain' });
      response.end(error.stack);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

async function policy() {
  const text = await readFile(new URL('content-security-policy.txt', ASSETS), 'utf8');
  return text.trim().replaceAll('\n', '; ');
}

class Stub {
  #policy;
  #documents = new Map();
  #sequence = 0;
  #lastQuestion = null;

  constructor(policyText) {
    this.#policy = policyText;
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://stub');
    const [, version, kind, id, part] = url.pathname.split('/').map(decodeURIComponent);
    if (version !== 'v1') return this.#file(url.pathname, response);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const route = `${request.method} ${kind}${id ? '/id' : ''}${part ? `/${part}` : ''}`;
    if (route === 'POST query') return this.#query(JSON.parse(body), response);
    if (route === 'GET documents') return this.#list(response);
    if (route === 'POST documents') return this.#upload(request, body, response);
    const document = this.#documents.get(id);
    if (!document) return problem(response, 404, 'there is no such document');
    if (route === 'GET documents/id/text') return this.#text(document, url.searchParams, response);
    if (route === 'DELETE documents/id') return this.#delete(document, response);
    return problem(response, 405, 'this route does not take that method');
  }

  async #file(path, response) {
    const name = path === '/' ? 'index.html' : path.replace(`/assets/${RELEASE}/`, '');
    const content = await readFile(new URL(name, ASSETS)).catch(() => null);
    if (!content) return problem(response, 404, 'not found');
    response.setHeader('Content-Security-Policy', this.#policy);
    response.setHeader('Content-Type', `${MEDIA_TYPES[name.split('.').at(-1)]}; charset=utf-8`);
    return response.end(name === 'index.html' ? content.toString().replaceAll('{{release}}', RELEASE) : content);
  }

  // Every look at the list moves a document one step on, so tests need no clock.
  #list(response) {
    const documents = [...this.#documents.values()].map(({ text, steps, ...record }) => record);
    for (const document of this.#documents.values()) Object.assign(document, document.steps.shift());
    json(response, 200, { documents, next_cursor: null });
  }

  async #upload(request, body, response) {
    const form = await new Response(body, { headers: { 'Content-Type': request.headers['content-type'] } }).formData();
    const file = form.get('file');
    const bytes = Buffer.from(await file.arrayBuffer());
    if (bytes.includes(0)) return problem(response, 415, 'the file is of a kind that cannot be read');
    this.#sequence += 1;
    const id = `01STUB${String(this.#sequence).padStart(20, '0')}`;
    const now = '2026-11-21T08:00:00Z';
    this.#documents.set(id, {
      id, collection: 'default', name: file.name, media_type: 'text/markdown', size_bytes: bytes.length,
      state: 'queued', live_version: null, latest_version: 1, failure: null,
      progress: { chunks_done: 0, chunks_total: 0 }, created_at: now, updated_at: now, text: bytes,
      steps: [
        { state: 'processing', progress: { chunks_done: 2, chunks_total: 4 } },
        { state: 'ready', live_version: 1, progress: { chunks_done: 4, chunks_total: 4 } },
      ],
    });
    return json(response, 202, { id, version: 1, state: 'queued' });
  }

  #delete(document, response) {
    this.#documents.delete(document.id);
    json(response, 200, {
      document_id: document.id, deleted_at: '2026-11-21T08:00:00Z', passages_deleted: 4, passages_remaining: 0, blobs_deleted: 2,
    });
  }

  #text({ id, text }, query, response) {
    let start = Math.min(Number(query.get('start')), text.length);
    let end = Math.min(Number(query.get('end') ?? text.length), text.length);
    const inside = (at) => at < text.length && (text[at] & 0xc0) === 0x80;
    while (inside(start)) start -= 1;
    while (inside(end)) end += 1;
    const slice = text.subarray(start, end).toString();
    json(response, 200, { document_id: id, version: 1, start, end, text: slice, total_bytes: text.length });
  }

  async #query({ question, session_id: sessionId }, response) {
    const passages = this.#sentences(question).slice(0, 3);
    const ids = { query_id: `query-${this.#sequence}`, session_id: sessionId ?? 'session-1' };
    // A follow-up, as far as a stub can tell, is understood together with the question before it.
    if (sessionId && this.#lastQuestion && /^and /i.test(question)) ids.standalone_question = `${question} ${this.#lastQuestion}`;
    this.#lastQuestion = question;
    const done = passages.length === 0 || passages[0].score < 2 ? refusal(ids, passages) : extract(ids, passages.slice(0, 2));
    const events = [{ event: 'retrieval', data: { ...ids, passages } }];
    for (const word of done.answer.split(/(?<= )/)) events.push({ event: 'token', data: { text: word } });
    for (const citation of done.citations) events.push({ event: 'citation', data: citation });
    events.push({ event: 'done', data: done });
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    // Cut anywhere, inside characters and fields too.
    const bytes = Buffer.from(eventStream(events));
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) response.write(bytes.subarray(at, at + CHUNK_BYTES));
    response.end();
  }

  #sentences(question) {
    const words = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{M}\d]{2,}/gu) ?? []);
    const asked = words(question);
    const found = [];
    for (const { id, name, state, text } of this.#documents.values()) {
      if (state !== 'ready') continue;
      for (const match of text.toString().matchAll(/[^\n.۔]+[.۔]/gu)) {
        const quote = match[0].trim();
        const score = [...words(quote)].filter((word) => asked.has(word)).length;
        const start = text.indexOf(quote);
        const line = text.subarray(0, start).toString().split('\n').length;
        const end = start + Buffer.byteLength(quote);
        if (score > 0) found.push({ document_id: id, document_name: name, version: 1, page: null, line, start, end, heading: '', text: quote, score });
      }
    }
    return found.sort((one, other) => other.score - one.score);
  }
}

function extract(ids, passages) {
  let answer = '';
  const sentences = [];
  const citations = passages.map(({ text, score, heading, ...place }, index) => ({ id: index + 1, ...place, quote: text }));
  for (const { id, quote } of citations) {
    if (answer) answer += ' ';
    const start = Buffer.byteLength(answer);
    answer += `${quote} [${id}]`;
    sentences.push({ start, end: Buffer.byteLength(answer), citations: [id], verdict: 'supported' });
  }
  return { ...ids, answer, sentences, citations, refused: false, nearest: [], cache: 'miss', usage: {}, timings_ms: { total: 41 }, mode: 'extractive' };
}

function refusal(ids, nearest) {
  return { ...ids, answer: '', sentences: [], citations: [], refused: true, nearest, cache: 'miss', usage: {}, timings_ms: { total: 12 }, mode: 'extractive' };
}

/** Writes events as a stream's text. */
export function eventStream(events) {
  return events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
}

function json(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

function problem(response, status, detail) {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title: 'Refused', status, detail, instance: 'request-1' }));
}
