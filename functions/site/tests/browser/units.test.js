// The page's pure parts: the stream parser, byte offsets, markers, strings.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

// The assets are modules without a package of their own, so they are read and imported as text.
async function load(name) {
  const source = await readFile(new URL(`../../assets/${name}`, import.meta.url), 'utf8');
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}

const { EventStreamParser, MAX_EVENT_LENGTH } = await load('sse.js');
const { Utf8Text, cutAnswer, splitMarkers, directionOf, humanSize } = await load('text.js');

function parse(text, size) {
  const bytes = new TextEncoder().encode(text);
  const parser = new EventStreamParser();
  const events = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...parser.push(bytes.subarray(at, at + size)));
  return events;
}

test('a stream parses the same however it is cut', () => {
  const stream = '\uFEFF: comment\r\nevent: token\r\ndata: {"text":"اردو é 🙂"}\r\n\r\n'
    + 'data:first\ndata: second\n\nevent: empty\n\nretry: 5\nid: 7\nunknown\ndata\n\rdata: last\r\revent: done\ndata: cut off';
  const expected = [
    { event: 'token', data: '{"text":"اردو é 🙂"}' },
    { event: 'message', data: 'first\nsecond' },
    { event: 'message', data: '' },
    { event: 'message', data: 'last' },
  ];
  for (let size = 1; size <= 40; size += 1) assert.deepEqual(parse(stream, size), expected, `chunks of ${size}`);
});

test('an event past the limit is refused', () => {
  const parser = new EventStreamParser();
  const bytes = new TextEncoder().encode('x'.repeat(1024 * 1024));
  for (let length = 0; length + bytes.length <= MAX_EVENT_LENGTH; length += bytes.length) parser.push(bytes);
  assert.throws(() => parser.push(bytes), RangeError);
});

test('slices are by byte and clamped', () => {
  const text = new Utf8Text('a é اردو');
  assert.equal(text.length, 13);
  assert.equal(text.slice(2, 4), 'é');
  assert.equal(text.slice(5), 'اردو');
  assert.equal(text.slice(-3, 1), 'a');
  assert.equal(text.slice(9, 5), '');
  assert.equal(new Utf8Text('\uFEFFx').slice(0), '\uFEFFx');
});

test('an answer is cut into sentences and what lies between', () => {
  const answer = 'جی۔ Yes.\nNo.';
  const [first, second] = [{ start: 0, end: 6 }, { start: 7, end: 11 }];
  assert.deepEqual(cutAnswer(answer, [second, first]), [
    { text: 'جی۔', sentence: first },
    { text: ' ', sentence: null },
    { text: 'Yes.', sentence: second },
    { text: '\nNo.', sentence: null },
  ]);
  assert.deepEqual(cutAnswer('ab', []), [{ text: 'ab', sentence: null }]);
  const beyond = { start: 0, end: 99 };
  assert.deepEqual(cutAnswer('ab', [beyond, { start: 1, end: 2 }]), [{ text: 'ab', sentence: beyond }]);
});

test('only markers of known citations become numbers', () => {
  const known = (id) => id <= 2;
  assert.deepEqual(splitMarkers('One [1]. Two [1, 2] three [3] [x] [1,9].', known), ['One ', 1, '. Two ', 1, 2, ' three [3] [x] [1,9].']);
  assert.deepEqual(splitMarkers('متن [1، 2]۔', known), ['متن ', 1, 2, '۔']);
  assert.deepEqual(splitMarkers('', known), []);
});

test('direction follows most letters', () => {
  assert.equal(directionOf('API کلید درج کریں'), 'rtl');
  assert.equal(directionOf('The word کتاب means book'), 'ltr');
  assert.equal(directionOf('123'), 'ltr');
});

test('sizes are in the unit a person would use', () => {
  assert.deepEqual(humanSize(500), [0.5, 'kilobyte']);
  assert.deepEqual(humanSize(1_500_000), [1.5, 'megabyte']);
  assert.deepEqual(humanSize(2e15), [2e6, 'gigabyte']);
});

test('both languages have the same strings with the same values', async () => {
  const { english } = await load('strings.en.js');
  const { urdu } = await load('strings.ur.js');
  assert.deepEqual(Object.keys(urdu), Object.keys(english));
  const names = (entry) => [...new Set(JSON.stringify(entry).match(/\{(\w+)\}/g))].sort();
  for (const key of Object.keys(english)) {
    assert.deepEqual(names(urdu[key]), names(english[key]), key);
    assert.ok(JSON.stringify(urdu[key]).match(/\p{Script=Arabic}/u), key);
  }
});

test('every string a file names exists', async () => {
  const { english } = await load('strings.en.js');
  const groups = new Set(Object.keys(english).map((key) => key.split('.')[0]));
  for (const name of ['index.html', 'answer.js', 'conversation.js', 'documents.js', 'key.js', 'language.js', 'passage.js', 'problem.js', 'uploads.js']) {
    const source = await readFile(new URL(`../../assets/${name}`, import.meta.url), 'utf8');
    for (const [, key] of source.matchAll(/["']([a-z]+(?:\.[a-z_]+)+)["']/g)) {
      if (groups.has(key.split('.')[0])) assert.ok(key in english, `${name}: ${key}`);
    }
  }
});
