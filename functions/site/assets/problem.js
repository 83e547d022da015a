// What went wrong, in a form a person can read and act on.

import { element, icon } from './dom.js';
import { say } from './language.js';

/** A failure: RFC 9457's members, and `kind` where the page itself found it. */
export class Problem extends Error {
  /** `kind`: 'server', 'network', 'timeout', 'broken' or 'key'. */
  constructor(kind, { status = 0, title = '', detail = '', instance = '', errors = [] } = {}, retryAfter = null) {
    super(detail || title || kind);
    this.kind = kind;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.instance = instance;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }

  /** Returns `error` itself when it is a problem, else the problem it amounts to. */
  static from(error) {
    if (error instanceof Problem) return error;
    if (error?.name === 'TimeoutError') return new Problem('timeout');
    return new Problem(error instanceof TypeError ? 'network' : 'broken');
  }

  /** Reads the problem from a response that is not a success. */
  static async fromResponse(response) {
    const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
    const members = await response.json().catch(() => null);
    const known = members && typeof members === 'object' ? members : {};
    const status = { ...known, status: response.status };
    return new Problem('server', status, Number.isFinite(retryAfter) ? retryAfter : null);
  }

  /** Returns the key of the sentence that says what to do. */
  get remedy() {
    if (this.kind !== 'server') return `problem.${this.kind}.remedy`;
    if (this.status === 429 && this.retryAfter !== null) return 'problem.429.wait';
    const specific = [401, 403, 404, 409, 413, 415, 422, 429, 503, 504];
    if (specific.includes(this.status)) return `problem.${this.status}.remedy`;
    return this.status >= 500 ? 'problem.5xx.remedy' : 'problem.4xx.remedy';
  }
}

/** Returns a box that shows `problem`; with `retry`, a button that calls it. */
export function problemBox(problem, retry = null) {
  const detail = problem.detail || problem.title;
  const box = element('div', { class: 'notice problem' }, icon('warning'));
  const body = element('div', { class: 'notice-body' });
  body.append(say(element('p', { class: 'notice-title' }), `problem.${problem.kind}.title`));
  if (detail) body.append(element('p', { class: 'problem-detail', dir: 'auto' }, detail));
  for (const { detail: reason, pointer } of problem.errors) {
    const text = [pointer, reason].filter(Boolean).join(': ');
    body.append(element('p', { class: 'problem-detail', dir: 'auto' }, text));
  }
  body.append(say(element('p', {}), problem.remedy, { seconds: problem.retryAfter }));
  if (retry) {
    const again = element('button', { type: 'button', class: 'quiet', click: retry });
    body.append(say(again, 'problem.retry'));
  }
  if (problem.instance) {
    const id = element('bdi', { class: 'code' }, problem.instance);
    body.append(
      element('p', { class: 'meta' }, say(element('span'), 'problem.request'), ' ', id),
    );
  }
  box.append(body);
  return box;
}
