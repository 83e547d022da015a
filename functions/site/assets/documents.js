// The list of documents: states, progress, deletion. It asks the server again only while
// something is under way and the page is in view.

import { deleteDocument, listDocuments } from './api.js';
import { byId, element, icon } from './dom.js';
import { askForKey, onKeyChange } from './key.js';
import { formatNumber, label, onLanguageChange, say } from './language.js';
import { Problem, problemBox } from './problem.js';
import { humanSize } from './text.js';

const PENDING = ['queued', 'processing', 'retiring', 'deleting'];
const FIRST_POLL_MS = 1_000;
const SLOWEST_POLL_MS = 10_000;

/** Wires the list; returns `{ refresh, notice }`. */
export function startDocuments() {
  const list = byId('document-list');
  const note = byId('documents-note');
  const more = byId('documents-more');
  const notice = byId('documents-notice');
  let documents = [];
  let pages = 1;
  let hasMore = false;
  let timer = null;
  let pollMs = FIRST_POLL_MS;
  let newestLoad = 0;

  async function refresh() {
    clearTimeout(timer);
    timer = null;
    pollMs = FIRST_POLL_MS;
    await load();
  }

  async function load() {
    newestLoad += 1;
    const thisLoad = newestLoad;
    try {
      const states = new Map(documents.map(({ id, state }) => [id, state]));
      const loaded = await loadPages();
      // A later load knows better, for example that a document was deleted meanwhile.
      if (thisLoad !== newestLoad) return;
      documents = loaded.documents;
      hasMore = loaded.next_cursor !== null;
      announceFinished(states);
      render();
    } catch (error) {
      fail(Problem.from(error));
    }
    schedule();
  }

  async function loadPages() {
    const loaded = { documents: [], next_cursor: null };
    for (let page = 0; page < pages; page += 1) {
      const next = await listDocuments(loaded.next_cursor);
      loaded.documents.push(...next.documents);
      loaded.next_cursor = next.next_cursor ?? null;
      if (!loaded.next_cursor) break;
    }
    return loaded;
  }

  function schedule() {
    clearTimeout(timer);
    timer = null;
    if (document.hidden || !documents.some(({ state }) => PENDING.includes(state))) return;
    timer = setTimeout(load, pollMs);
    pollMs = Math.min(pollMs * 1.5, SLOWEST_POLL_MS);
  }

  function announceFinished(states) {
    for (const { id, name, state } of documents) {
      if (!PENDING.includes(states.get(id))) continue;
      if (state === 'ready' || state === 'failed') say(notice, `documents.${state}`, { name });
    }
  }

  function render() {
    const focused = document.activeElement?.closest?.('[data-document]')?.dataset.document;
    list.replaceChildren(...documents.map((entry) => row(entry, remove)));
    list.hidden = documents.length === 0;
    more.hidden = !hasMore;
    note.hidden = documents.length > 0;
    if (documents.length === 0) {
      note.replaceChildren(
        say(element('p', { class: 'note-title' }), 'documents.empty'),
        say(element('p'), 'documents.empty.how'),
      );
    }
    if (focused) buttonOf(focused)?.focus();
  }

  function buttonOf(id) {
    return list.querySelector(`[data-document="${CSS.escape(id)}"] button`);
  }

  function fail(problem) {
    note.hidden = false;
    if (problem.status !== 401) {
      note.replaceChildren(problemBox(problem, refresh));
      return;
    }
    const enter = element('button', { type: 'button', class: 'quiet', click: () => askForKey() });
    note.replaceChildren(say(element('p'), 'documents.key'), say(enter, 'documents.key.enter'));
  }

  async function remove({ id, name }) {
    if (!(await confirmDeletion(name))) {
      // The list may have been drawn anew meanwhile, so the pressed button may be gone.
      buttonOf(id)?.focus();
      return;
    }
    const position = documents.findIndex((entry) => entry.id === id);
    try {
      const receipt = await deleteDocument(id);
      documents = documents.filter((entry) => entry.id !== id);
      say(notice, 'documents.deleted', {
        name, count: receipt.passages_deleted, remaining: receipt.passages_remaining,
      });
      render();
    } catch (error) {
      notice.replaceChildren(problemBox(Problem.from(error)));
    }
    // The pressed button is gone: go on where the next document stands now.
    const buttons = list.querySelectorAll('[data-document] button');
    (buttons[Math.min(position, buttons.length - 1)] ?? byId('documents-title')).focus();
    await refresh();
  }

  more.addEventListener('click', () => {
    pages += 1;
    refresh();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && documents.length > 0) schedule();
  });
  onKeyChange(refresh);
  onLanguageChange(render);
  refresh();
  return { refresh, notice };
}

function row(entry, remove) {
  const { id, name, state, failure, size_bytes: size, progress } = entry;
  const shown = state === 'retiring' ? 'processing' : state;
  const badge = element('span', { class: `state ${shown}` }, icon(`state-${shown}`));
  badge.append(say(element('span'), `state.${shown}`));
  const [amount, unit] = humanSize(size);
  const sizeText = formatNumber(amount, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 });
  const node = element(
    'li',
    { 'data-document': id },
    element(
      'div',
      { class: 'document-body' },
      element('bdi', { class: 'document-name', title: name }, name),
      element('span', { class: 'meta document-meta' }, badge, element('bdi', { dir: 'ltr' }, sizeText)),
    ),
  );
  if (shown === 'processing' && progress?.chunks_total > 0) node.firstChild.append(bar(progress));
  if (failure) node.firstChild.append(element('p', { class: 'failure', dir: 'auto' }, failure.detail));
  if (state !== 'deleting') {
    const button = element('button', { type: 'button', class: 'plain', click: () => remove(entry) }, icon('trash'));
    node.append(label(button, 'documents.delete', { name }));
  }
  return node;
}

function bar({ chunks_done: done, chunks_total: total }) {
  const progress = element('progress', { max: total, value: done });
  return label(progress, 'documents.progress', { done, total });
}

function confirmDeletion(name) {
  const dialog = byId('confirm-dialog');
  say(byId('confirm-text'), 'confirm.text', { name });
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'delete'), { once: true });
  });
}
