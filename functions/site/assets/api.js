// Requests to the API beside this page. Paths are relative to the page, so a gateway's stage
// prefix needs no setting.

import { askForKey, currentKey } from './key.js';
import { Problem } from './problem.js';
import { EventStreamParser } from './sse.js';

const ROOT = new URL('../../', import.meta.url);
const REQUEST_TIMEOUT_MS = 30_000;
const UPLOAD_TIMEOUT_MS = 15 * 60_000;
/** Longest silence of a stream before it counts as broken. */
const SILENCE_LIMIT_MS = 60_000;

/** The collection the page works on: `?collection=` of its address, else `default`. */
export const collection = new URLSearchParams(location.search).get('collection') || 'default';

/**
 * Sends a request and returns the response, a success. On 401 it asks for a key and tries again,
 * unless `quiet`. Throws a Problem, or the signal's reason when the caller aborted.
 */
async function send(path, { method = 'GET', headers = {}, body, signal, timeoutMs = REQUEST_TIMEOUT_MS, quiet = false } = {}) {
  let rejected = null;
  for (;;) {
    const key = currentKey();
    const authorization = key ? { Authorization: `Bearer ${key}` } : {};
    const response = await attempt(path, {
      method, body, signal, timeoutMs, headers: { ...headers, ...authorization },
    });
    if (response.ok) return response;
    const problem = await Problem.fromResponse(response);
    if (response.status !== 401 || quiet) throw problem;
    rejected = key;
    if (!(await askForKey(rejected))) throw new Problem('key');
  }
}

async function attempt(path, { timeoutMs, signal, ...init }) {
  // The limit is on the time to the response's head; a stream's body has its own, on silence.
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Problem('timeout')), timeoutMs);
  const signals = signal ? [signal, limit.signal] : [limit.signal];
  try {
    return await fetch(new URL(path, ROOT), {
      ...init, signal: AbortSignal.any(signals), cache: 'no-store', credentials: 'same-origin',
    });
  } catch (error) {
    throw signal?.aborted ? error : Problem.from(limit.signal.reason ?? error);
  } finally {
    clearTimeout(timer);
  }
}

async function json(path, options) {
  const response = await send(path, options);
  return response.json().catch(() => { throw new Problem('broken'); });
}

/** Asks a question; yields the events `{ event, data }` of the answer, data parsed. */
export async function* ask(question, sessionId, signal) {
  const response = await send('v1/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ question, collection, session_id: sessionId, stream: true }),
    timeoutMs: SILENCE_LIMIT_MS,
    signal,
  });
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    yield { event: 'done', data: await response.json() };
    return;
  }
  const reader = response.body.getReader();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await within(SILENCE_LIMIT_MS, reader.read());
      if (done) return;
      for (const { event, data } of parser.push(value)) yield { event, data: JSON.parse(data) };
    }
  } finally {
    // Also reached when the caller stops early: the connection must not linger. A stream that
    // failed rejects here a second time, and the first failure is already on its way.
    reader.cancel().catch(() => undefined);
  }
}

function within(limitMs, promise) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Problem('timeout')), limitMs);
  });
  return Promise.race([promise, silence]).finally(() => clearTimeout(timer));
}

/** Returns one page of documents: `{ documents, next_cursor }`. Never asks for a key. */
export function listDocuments(cursor) {
  const query = new URLSearchParams({ collection, limit: '50' });
  if (cursor) query.set('cursor', cursor);
  return json(`v1/documents?${query}`, { quiet: true });
}

/** Uploads a file; returns `{ id, version, state }`. */
export function uploadDocument(file, signal) {
  const body = new FormData();
  if (collection !== 'default') body.set('collection', collection);
  body.set('file', file, file.name);
  return json('v1/documents', { method: 'POST', body, signal, timeoutMs: UPLOAD_TIMEOUT_MS });
}

/** Deletes a document; returns its receipt. */
export function deleteDocument(id) {
  return json(`v1/documents/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** Returns a window of a document's canonical text, `start` and `end` in bytes. */
export function documentText(id, { start, end, version }, signal) {
  const query = new URLSearchParams({ start: String(start), end: String(end) });
  if (version !== null && version !== undefined) query.set('version', String(version));
  return json(`v1/documents/${encodeURIComponent(id)}/text?${query}`, { signal });
}
