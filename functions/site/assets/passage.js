// The panel that shows a citation inside its document, the cited bytes marked.

import { placeOf } from './answer.js';
import { documentText } from './api.js';
import { byId, element } from './dom.js';
import { say } from './language.js';
import { Problem, problemBox } from './problem.js';
import { directionOf, Utf8Text } from './text.js';

/** Bytes of context shown on each side of a passage at first. */
const CONTEXT_BYTES = 1_200;
/** Bytes that each "show more" adds. */
const MORE_BYTES = 4_000;

/** Wires the panel; `panel` opens and closes its dialog. Returns `open(citations, index, opener)`. */
export function startPassage(panel) {
  const body = byId('passage-body');
  let citations = [];
  let index = 0;
  let loading = null;

  function step(by) {
    index += by;
    show();
  }

  function show() {
    const citation = citations[index];
    say(byId('passage-title'), 'passage.title', { id: citation.id });
    byId('passage-name').textContent = citation.document_name;
    byId('passage-place').replaceChildren(...placeOf(citation, true));
    byId('passage-previous').disabled = index === 0;
    byId('passage-next').disabled = index === citations.length - 1;
    say(byId('passage-position'), 'passage.position', { position: index + 1, count: citations.length });
    load(citation, { start: citation.start - CONTEXT_BYTES, end: citation.end + CONTEXT_BYTES }, true);
  }

  async function load(citation, { start, end }, first) {
    loading?.abort();
    const controller = new AbortController();
    loading = controller;
    if (first) body.replaceChildren(say(element('p', { class: 'meta' }), 'passage.loading'));
    try {
      const range = { start: Math.max(start, 0), end, version: citation.version };
      const found = await documentText(citation.document_id, range, controller.signal);
      if (!controller.signal.aborted) render(citation, found, first);
    } catch (error) {
      if (!controller.signal.aborted) fail(citation, Problem.from(error));
    }
  }

  function render(citation, found, first) {
    const text = new Utf8Text(found.text);
    const cut = [citation.start - found.start, citation.end - found.start];
    const marked = text.slice(...cut);
    const quote = citation.quote ?? marked;
    const before = text.slice(0, cut[0]);
    const after = text.slice(cut[1]);
    const direction = directionOf(found.text);
    const mark = element('mark', { id: 'cited', tabindex: '-1' }, marked);
    const page = element('div', { class: 'document-text', dir: direction }, before,
      spoken('passage.marked'), mark, spoken('passage.marked.end'), after);
    const nodes = [page];
    if (marked !== quote) nodes.unshift(instead('passage.differs', quote));
    const { start, end } = found;
    if (start > 0) nodes.unshift(more('passage.before', () => load(citation, { start: start - MORE_BYTES, end }, false)));
    if (end < found.total_bytes) nodes.push(more('passage.after', () => load(citation, { start, end: end + MORE_BYTES }, false)));
    body.replaceChildren(...nodes);
    if (first) mark.scrollIntoView({ block: 'center', inline: 'nearest' });
    else mark.focus({ preventScroll: true });
  }

  function fail(citation, problem) {
    const nodes = problem.status === 404
      ? [instead('passage.gone', citation.quote ?? citation.text ?? '')]
      : [problemBox(problem, show)];
    body.replaceChildren(...nodes);
  }

  byId('passage-previous').addEventListener('click', () => step(-1));
  byId('passage-next').addEventListener('click', () => step(1));
  panel.onClose(() => loading?.abort());

  return (shown, position, opener) => {
    citations = shown;
    index = position;
    panel.open(opener);
    show();
    byId('passage-title').focus();
  };
}

// Where the marked words begin and end, for who cannot see the mark.
function spoken(key) {
  return say(element('span', { class: 'for-reader' }), key);
}

function more(key, load) {
  return say(element('button', { type: 'button', class: 'quiet more', click: load }), key);
}

function instead(key, quote) {
  return element(
    'div',
    { class: 'notice doubt' },
    element(
      'div',
      { class: 'notice-body' },
      say(element('p'), key),
      element('blockquote', { dir: directionOf(quote) }, quote),
    ),
  );
}
