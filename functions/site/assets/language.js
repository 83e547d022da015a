// The page's language: English or Urdu, chosen by address, then memory, then the browser.

import { english } from './strings.en.js';
import { urdu } from './strings.ur.js';

const STORED_AS = 'lectern.language';
const LANGUAGES = {
  en: { strings: english, direction: 'ltr' },
  ur: { strings: urdu, direction: 'rtl' },
};
// Where a translated string goes, by the data attribute that names its key.
const TARGETS = {
  text: (node, text) => { node.textContent = text; },
  label: (node, text) => node.setAttribute('aria-label', text),
  placeholder: (node, text) => node.setAttribute('placeholder', text),
};

const valuesOf = new WeakMap();
const listeners = new Set();
let current = 'en';

/** Returns the language in use: 'en' or 'ur'. */
export function language() {
  return current;
}

/** Returns the string called `key` with `{name}` replaced from `values`. */
export function translate(key, values = {}) {
  const entry = LANGUAGES[current].strings[key];
  if (entry === undefined) throw new Error(`no string ${key}`);
  const template = typeof entry === 'string'
    ? entry
    : entry[new Intl.PluralRules(current).select(values.count)] ?? entry.other;
  return template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    // A name may run against the sentence's direction: isolate it (UAX #9, FSI and PDI).
    return typeof value === 'number' ? formatNumber(value) : `\u2068${value}\u2069`;
  });
}

/** Sets the node's text to a string, now and after every change of language; returns the node. */
export function say(node, key, values) {
  return put(node, 'text', key, values);
}

/** Sets the node's accessible name likewise. */
export function label(node, key, values) {
  return put(node, 'label', key, values);
}

function put(node, target, key, values = {}) {
  node.dataset[target] = key;
  const ofNode = valuesOf.get(node) ?? {};
  ofNode[target] = values;
  valuesOf.set(node, ofNode);
  TARGETS[target](node, translate(key, values));
  return node;
}

/** Returns a number as the language writes it. */
export function formatNumber(number, options) {
  return new Intl.NumberFormat(current, options).format(number);
}

/** Calls `listener` after every change of language. */
export function onLanguageChange(listener) {
  listeners.add(listener);
}

/** Switches the whole page and remembers it. */
export function setLanguage(code) {
  current = code in LANGUAGES ? code : 'en';
  document.documentElement.lang = current;
  document.documentElement.dir = LANGUAGES[current].direction;
  for (const [target, apply] of Object.entries(TARGETS)) {
    for (const node of document.querySelectorAll(`[data-${target}]`)) {
      apply(node, translate(node.dataset[target], valuesOf.get(node)?.[target]));
    }
  }
  document.title = translate('page.title');
  for (const listener of listeners) listener();
}

/** Sets the language the visitor most likely wants, and wires the buttons that change it. */
export function startLanguage(buttons) {
  const mark = () => {
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.lang === current));
    }
  };
  onLanguageChange(mark);
  for (const button of buttons) {
    button.addEventListener('click', () => {
      remember(button.lang);
      setLanguage(button.lang);
    });
  }
  const asked = new URLSearchParams(location.search).get('lang');
  const preferred = navigator.languages.map((tag) => tag.split('-')[0]);
  setLanguage([asked, remembered(), ...preferred].find((code) => code in LANGUAGES) ?? 'en');
}

// Storage may be blocked by the browser's settings; the page works without.
function remember(code) {
  try {
    localStorage.setItem(STORED_AS, code);
  } catch {
    return;
  }
}

function remembered() {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}
