// Byte offsets, directions and sizes of text. Pure: no page, no network.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text addressed by UTF-8 byte offsets, as the API counts them. */
export class Utf8Text {
  #bytes;

  constructor(text) {
    this.#bytes = encoder.encode(text);
  }

  /** Length in bytes. */
  get length() {
    return this.#bytes.length;
  }

  /** Returns the text from byte `start` up to byte `end`, both clamped to the text. */
  slice(start, end = this.length) {
    const first = Math.min(Math.max(start, 0), this.length);
    const last = Math.min(Math.max(end, first), this.length);
    return decoder.decode(this.#bytes.subarray(first, last));
  }
}

/**
 * Cuts an answer into pieces in reading order: `{ text, sentence }`, where `sentence` is null for
 * what lies between sentences. Overlapping or out-of-range sentences lose what was already shown.
 */
export function cutAnswer(answer, sentences) {
  const text = new Utf8Text(answer);
  const pieces = [];
  let shown = 0;
  for (const sentence of [...sentences].sort((one, other) => one.start - other.start)) {
    const start = Math.max(sentence.start, shown);
    const end = Math.min(sentence.end, text.length);
    if (end <= start) continue;
    if (start > shown) pieces.push({ text: text.slice(shown, start), sentence: null });
    pieces.push({ text: text.slice(start, end), sentence });
    shown = end;
  }
  if (shown < text.length) pieces.push({ text: text.slice(shown), sentence: null });
  return pieces;
}

/**
 * Splits text at citation markers: strings, and numbers for the markers that `known` accepts.
 * `[1, 2]` yields 1 and 2 only if both are known; any other bracket stays text.
 */
export function splitMarkers(text, known) {
  const pieces = [];
  let shown = 0;
  for (const match of text.matchAll(/\[(\d{1,3}(?:\s*[,،]\s*\d{1,3})*)\]/g)) {
    const ids = match[1].split(/[,،]/).map(Number);
    if (!ids.every(known)) continue;
    if (match.index > shown) pieces.push(text.slice(shown, match.index));
    pieces.push(...ids);
    shown = match.index + match[0].length;
  }
  if (shown < text.length) pieces.push(text.slice(shown));
  return pieces;
}

/** Returns 'rtl' when most letters of `text` are written right to left, else 'ltr'. */
export function directionOf(text) {
  const sample = text.slice(0, 4000);
  const rightToLeft = sample.match(/[\p{Script=Arabic}\p{Script=Hebrew}]/gu)?.length ?? 0;
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  return rightToLeft * 2 > letters ? 'rtl' : 'ltr';
}

/** Returns `bytes` in the unit a person would use, as `[number, unit]` of Intl.NumberFormat. */
export function humanSize(bytes) {
  const units = ['kilobyte', 'megabyte', 'gigabyte'];
  let size = bytes / 1000;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return [size, units[unit]];
}
