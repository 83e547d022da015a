// A finished answer as nodes: sentences, citation buttons, verdicts, sources.

import { element, icon } from './dom.js';
import { formatNumber, label, say } from './language.js';
import { cutAnswer, directionOf, splitMarkers } from './text.js';

/** Stages whose absence a reader should know of. */
const WITHOUT = ['embed', 'generate', 'rerank'];
const DOUBTFUL = ['partial', 'unsupported', 'unknown_id'];

/** Returns where a citation stands, such as "page 3 · line 40", as nodes. */
export function placeOf({ page, line, version }, withVersion = false) {
  const parts = [];
  if (page) parts.push(say(element('span'), 'citation.page', { page }));
  if (line) parts.push(say(element('span'), 'citation.line', { line }));
  if (withVersion && version) parts.push(say(element('span'), 'citation.version', { version }));
  return parts.flatMap((part, index) => (index === 0 ? [part] : [' · ', part]));
}

/** `open(citations, index, opener)` shows a citation in its document. */
export class AnswerView {
  #answer;
  #open;

  constructor(answer, open) {
    this.#answer = answer;
    this.#open = open;
  }

  /** Returns the whole answer. */
  nodes() {
    const body = this.#answer.refused
      ? this.#refusal()
      : [this.#text(), this.#doubt(), this.#sources(), this.#footer()];
    return [this.#understood(), ...body].filter(Boolean);
  }

  // A follow-up as it was searched for: who sees it wrong knows why the answer is about something else.
  #understood() {
    const { standalone_question: question } = this.#answer;
    if (!question) return null;
    const text = element('bdi', { class: 'understood-text', dir: directionOf(question) }, question);
    return element('p', { class: 'meta understood' }, say(element('span'), 'turn.understood'), ' ', text);
  }

  #indexOf(id) {
    return this.#answer.citations.findIndex((citation) => citation.id === id);
  }

  #marker(id) {
    const index = this.#indexOf(id);
    const { citations } = this.#answer;
    const button = element(
      'button',
      { type: 'button', class: 'marker', click: () => this.#open(citations, index, button) },
      `[${id}]`,
    );
    return label(button, 'citation.open', { id, name: citations[index].document_name });
  }

  #text() {
    const { answer, sentences } = this.#answer;
    const text = element('div', { class: 'answer-text', dir: directionOf(answer) });
    const pieces = cutAnswer(answer, sentences ?? []);
    pieces.forEach(({ text: words, sentence }, position) => {
      const following = pieces[position + 1];
      const gap = following && !following.sentence ? following.text : '';
      text.append(...(sentence ? [this.#sentence(words, sentence, gap)] : this.#words(words)));
    });
    return text;
  }

  // Text whose markers of known citations became buttons.
  #words(text) {
    const known = (id) => this.#indexOf(id) >= 0;
    return splitMarkers(text, known).map((piece) => (typeof piece === 'number' ? this.#marker(piece) : piece));
  }

  #sentence(words, { citations, verdict }, gap) {
    const doubtful = DOUBTFUL.includes(verdict);
    const sentence = element('span', { class: doubtful ? `sentence ${verdict}` : 'sentence' });
    sentence.append(...this.#words(words));
    // A citation the text does not mark still gets its button.
    const marked = splitMarkers(words + gap, () => true).filter((piece) => typeof piece === 'number');
    const unmarked = (citations ?? []).filter((id) => !marked.includes(id) && this.#indexOf(id) >= 0);
    for (const id of unmarked) sentence.append(' ', this.#marker(id));
    if (doubtful) {
      const tag = element('span', { class: 'verdict' }, icon('warning'));
      tag.append(say(element('span'), `verdict.${verdict}`));
      sentence.append(' ', tag);
    }
    return sentence;
  }

  #doubt() {
    const count = (this.#answer.sentences ?? []).filter(({ verdict }) => DOUBTFUL.includes(verdict)).length;
    if (count === 0) return null;
    const body = say(element('p', { class: 'notice-body' }), 'turn.doubt', { count });
    return element('div', { class: 'notice doubt' }, icon('warning'), body);
  }

  #sources() {
    const { citations } = this.#answer;
    if (!citations?.length) return null;
    return element(
      'section',
      { class: 'sources' },
      say(element('h3'), 'turn.sources'),
      this.#list(citations, ({ quote }) => quote),
    );
  }

  #list(citations, excerpt) {
    const list = element('ol', { class: 'source-list' });
    citations.forEach((citation, index) => {
      const text = excerpt(citation);
      const button = element(
        'button',
        { type: 'button', class: 'source', click: () => this.#open(citations, index, button) },
        element('span', { class: 'source-number', 'aria-hidden': 'true' }, String(citation.id)),
        element(
          'span',
          { class: 'source-body' },
          element('bdi', { class: 'source-name' }, citation.document_name),
          element('span', { class: 'source-place' }, ...placeOf(citation)),
          element('span', { class: 'source-quote', dir: directionOf(text) }, text),
        ),
      );
      list.append(element('li', {}, button));
    });
    return list;
  }

  #refusal() {
    const body = element(
      'div',
      { class: 'notice-body' },
      say(element('p', { class: 'notice-title' }), 'turn.refused'),
      say(element('p'), 'turn.refused.how'),
    );
    const nodes = [element('div', { class: 'notice refusal' }, icon('info'), body)];
    const nearest = (this.#answer.nearest ?? []).map((passage, index) => ({ ...passage, id: index + 1 }));
    if (nearest.length > 0) {
      const list = this.#list(nearest, ({ text }) => text);
      nodes.push(element('section', { class: 'sources' }, say(element('h3'), 'turn.nearest'), list));
    }
    return nodes;
  }

  #footer() {
    const { mode, timings_ms: timings, cache } = this.#answer;
    const footer = element('p', { class: 'meta answer-meta' });
    if (mode === 'extractive' || mode === 'generated') footer.append(say(element('span'), `turn.${mode}`));
    for (const stage of this.#answer.degraded ?? []) {
      if (WITHOUT.includes(stage)) footer.append(say(element('span', { class: 'without' }), `turn.without.${stage}`));
    }
    if (cache === 'hit') footer.append(say(element('span'), 'turn.cached'));
    else if (Number.isFinite(timings?.total)) {
      const seconds = formatNumber(timings.total / 1000, { maximumFractionDigits: timings.total < 1000 ? 2 : 1 });
      footer.append(say(element('span'), 'turn.seconds', { seconds }));
    }
    return footer.childElementCount > 0 ? footer : null;
  }
}
