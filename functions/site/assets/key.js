// The API key: asked for when the server wants one, kept for this tab only.

import { byId } from './dom.js';
import { label, say } from './language.js';

const STORED_AS = 'lectern.key';
// Where storage is blocked, the key lives as long as the page.
let inMemory = '';
let asking = null;
const listeners = new Set();

/** Returns the key in use, '' when there is none. */
export function currentKey() {
  try {
    return sessionStorage.getItem(STORED_AS) ?? inMemory;
  } catch {
    return inMemory;
  }
}

function store(key) {
  inMemory = key;
  try {
    if (key) sessionStorage.setItem(STORED_AS, key);
    else sessionStorage.removeItem(STORED_AS);
  } catch {
    // Kept in memory above.
  }
  for (const listener of listeners) listener();
}

/** Calls `listener` after the key was entered or forgotten. */
export function onKeyChange(listener) {
  listeners.add(listener);
}

/**
 * Asks for a key; resolves to whether one was entered. `rejected` is the key the server refused,
 * '' or null when none was sent. Requests that ask at the same time share one dialog.
 */
export function askForKey(rejected = null) {
  // Another request may have got a new key while this one was under way.
  if (rejected !== null && currentKey() && currentKey() !== rejected) return Promise.resolve(true);
  asking ??= openDialog(rejected).finally(() => { asking = null; });
  return asking;
}

function openDialog(rejected) {
  const dialog = byId('key-dialog');
  const input = byId('key');
  const error = byId('key-error');
  input.value = '';
  byId('key-forget').hidden = !currentKey();
  showError(rejected ? 'key.rejected' : null);

  function showError(key) {
    error.hidden = key === null;
    input.toggleAttribute('aria-invalid', key !== null);
    if (key !== null) {
      input.setAttribute('aria-invalid', 'true');
      say(error, key);
    }
  }

  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      const key = input.value.trim();
      // A header value holds visible ASCII; anything else was pasted by mistake.
      if (!/^[\x21-\x7e]+$/.test(key)) {
        showError('key.malformed');
        input.focus();
        return;
      }
      store(key);
      dialog.close('entered');
    };
    byId('key-form').addEventListener('submit', submit);
    dialog.addEventListener('close', () => {
      byId('key-form').removeEventListener('submit', submit);
      input.value = '';
      resolve(dialog.returnValue === 'entered');
    }, { once: true });
    dialog.returnValue = '';
    dialog.showModal();
    input.focus();
  });
}

/** Wires the button that opens the dialog, and the one that forgets the key. */
export function startKey() {
  const open = byId('key-open');
  const mark = () => label(open, currentKey() ? 'key.open.set' : 'key.open');
  onKeyChange(mark);
  mark();
  open.addEventListener('click', () => askForKey());
  byId('key-cancel').addEventListener('click', () => byId('key-dialog').close());
  byId('key-forget').addEventListener('click', () => {
    store('');
    byId('key-dialog').close();
  });
}
