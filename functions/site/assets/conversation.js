// The conversation: questions, answers as they stream in, and the box to ask in.

import { AnswerView } from './answer.js';
import { ask } from './api.js';
import { byId, element, icon } from './dom.js';
import { label, say } from './language.js';
import { Problem, problemBox } from './problem.js';
import { directionOf } from './text.js';

/** One question and what became of it. */
class Turn {
  #body = element('div', { class: 'answer' });
  #draft = null;
  #draftText = '';

  constructor(question, log) {
    this.question = question;
    const heading = element(
      'h2',
      { class: 'question' },
      say(element('span', { class: 'for-reader' }), 'turn.you'),
      element('span', { class: 'question-text', dir: directionOf(question) }, question),
    );
    this.node = element('article', { class: 'turn' }, heading, this.#body);
    log.append(this.node);
  }

  begin() {
    this.#draft = null;
    this.#draftText = '';
    this.#body.replaceChildren(waiting('turn.searching'));
  }

  found(passages) {
    this.#body.replaceChildren(waiting('turn.found', { count: passages.length }));
  }

  // Hidden from assistive technology: the checked answer is announced once, whole.
  addDraft(text) {
    if (!this.#draft) {
      this.#draft = element('div', { class: 'draft', 'aria-hidden': 'true' });
      this.#body.append(this.#draft);
    }
    this.#draftText += text;
    this.#draft.dir = directionOf(this.#draftText);
    this.#draft.textContent = this.#draftText;
  }

  finish(answer, open) {
    this.#body.replaceChildren(...new AnswerView(answer, open).nodes());
  }

  stop() {
    const text = say(element('p', { class: 'notice-body' }), this.#draft ? 'turn.stopped' : 'turn.stopped.empty');
    const notice = element('div', { class: 'notice' }, icon('info'), text);
    this.#draft?.removeAttribute('aria-hidden');
    this.#body.replaceChildren(...[this.#draft, notice].filter(Boolean));
  }

  fail(problem, retry) {
    this.#body.replaceChildren(problemBox(problem, retry));
  }
}

function waiting(key, values) {
  const dots = element('span', { class: 'dots', 'aria-hidden': 'true' }, ...[0, 1, 2].map(() => element('i')));
  return element('p', { class: 'waiting' }, dots, say(element('span'), key, values));
}

/** Wires the conversation; `openPassage(citations, index, opener)` shows a citation. */
export function startConversation(openPassage) {
  const log = byId('turns');
  const form = byId('ask');
  const input = byId('question');
  const button = byId('send');
  const status = byId('status');
  const welcome = byId('welcome');
  let running = null;
  let sessionId = null;

  function setRunning(controller) {
    running = controller;
    const busy = controller !== null;
    button.classList.toggle('stop', busy);
    button.replaceChildren(icon(busy ? 'stop' : 'send'), say(element('span'), busy ? 'ask.stop' : 'ask.send'));
    byId('new').disabled = busy;
  }

  async function run(turn) {
    const controller = new AbortController();
    setRunning(controller);
    turn.begin();
    say(status, 'turn.searching');
    try {
      await follow(turn, controller.signal);
    } catch (error) {
      if (controller.signal.aborted) {
        turn.stop();
        status.textContent = '';
      } else {
        turn.fail(Problem.from(error), () => run(turn).then(() => input.focus()));
      }
    } finally {
      if (running === controller) setRunning(null);
    }
  }

  // Follows one stream to its end, which must be an answer.
  async function follow(turn, signal) {
    for await (const { event, data } of ask(turn.question, sessionId, signal)) {
      if (event === 'retrieval') turn.found(data.passages);
      if (event === 'token') turn.addDraft(data.text);
      if (event === 'error') throw new Problem('server', data);
      if (event === 'done') {
        sessionId = data.session_id ?? sessionId;
        turn.finish(data, openPassage);
        say(status, data.refused ? 'turn.refused' : 'turn.ready');
        return;
      }
    }
    throw new Problem('broken');
  }

  function submit() {
    const question = input.value.trim();
    if (running || question === '') return;
    input.value = '';
    fit();
    welcome.hidden = true;
    byId('new').hidden = false;
    log.hidden = false;
    const turn = new Turn(question, log);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    turn.node.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' });
    run(turn);
  }

  // Empty, the box follows the page, as its placeholder does; then it follows what is written.
  function fit() {
    if (input.value === '') input.removeAttribute('dir');
    else input.dir = directionOf(input.value);
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight}px`;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (running) running.abort();
    else submit();
    input.focus();
  });
  input.addEventListener('input', fit);
  input.addEventListener('keydown', (event) => {
    // Enter that ends an input method's composition belongs to the input method.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  byId('new').addEventListener('click', () => {
    sessionId = null;
    log.replaceChildren();
    log.hidden = true;
    welcome.hidden = false;
    byId('new').hidden = true;
    status.textContent = '';
    input.focus();
  });
  label(log, 'ask.log');
  setRunning(null);
}
