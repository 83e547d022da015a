// Answers the tests need word for word: sent in place of the server's, about real documents.

import { Buffer } from 'node:buffer';
import { ENGLISH, URDU } from './texts.js';
import { eventStream } from './stub.js';

const BODY = { query_id: 'query-scripted', session_id: 'session-scripted', cache: 'miss', usage: {}, timings_ms: { total: 862 } };

/** Returns the citation `id` of the words `quote` in a document of texts.js. */
export function citationOf(id, documentId, { name, canonical: text }, quote) {
  const start = Buffer.byteLength(text.slice(0, text.indexOf(quote)));
  const line = text.slice(0, text.indexOf(quote)).split('\n').length;
  return { id, document_id: documentId, document_name: name, version: 1, page: null, line, start, end: start + Buffer.byteLength(quote), quote };
}

/** Returns an answer of these `[text, citations, verdict]` sentences. */
export function answerOf(parts, citations) {
  let answer = '';
  const sentences = parts.map(([text, ids, verdict]) => {
    const start = Buffer.byteLength(answer ? `${answer} ` : '');
    answer += answer ? ` ${text}` : text;
    return { start, end: Buffer.byteLength(answer), citations: ids, verdict };
  });
  return { ...BODY, answer, sentences, citations, refused: false, nearest: [], mode: 'generated' };
}

/** Returns a refusal with the passage nearest to the question. */
export function refusalNear(documentId, document, quote) {
  const { quote: text, ...place } = citationOf(1, documentId, document, quote);
  return { ...BODY, answer: '', sentences: [], citations: [], refused: true, mode: 'extractive', nearest: [{ ...place, heading: '', text, score: 0.1 }] };
}

/** An answer with a supported, a partly supported and an unsupported sentence, in English. */
export function doubtfulEnglish({ english }) {
  return answerOf(
    [
      ['Backups run every day at 03:00 UTC [1].', [1], 'supported'],
      ['They are kept for thirty days in a second region, on tape [2].', [2], 'partial'],
      ['The operator receives a text message afterwards.', [], 'unsupported'],
      ['A drill on the first Monday of each month proves that they restore [3].', [3], 'supported'],
    ],
    [
      citationOf(1, english, ENGLISH, 'Backups run daily at 03:00 UTC and take about twenty minutes.'),
      citationOf(2, english, ENGLISH, 'Each backup is kept for thirty days in a second region.'),
      citationOf(3, english, ENGLISH, 'On the first Monday of each month the night shift restores the newest backup into an empty account.'),
    ],
  );
}

/** The same kind of answer in Urdu. */
export function doubtfulUrdu({ urdu }) {
  return answerOf(
    [
      ['ہر رکن ایک وقت میں پانچ کتابیں چودہ دن کے لیے لے سکتا ہے [1]۔', [1], 'supported'],
      ['تاخیر پر ہر دن دس روپے جرمانہ ہے جو نقد دینا ہوتا ہے [2]۔', [2], 'partial'],
      ['جمعے کو کتب خانہ بند رہتا ہے۔', [], 'unsupported'],
    ],
    [
      citationOf(1, urdu, URDU, 'ہر رکن ایک وقت میں پانچ کتابیں چودہ دن کے لیے لے سکتا ہے۔'),
      citationOf(2, urdu, URDU, 'تاخیر کی صورت میں ہر دن کا جرمانہ دس روپے ہے۔'),
    ],
  );
}

/** Answers the page's next questions with these events instead of the server. */
export async function script(page, ...events) {
  await page.unroute('**/v1/query');
  await page.route('**/v1/query', (route) => route.fulfill({
    status: 200, contentType: 'text/event-stream', body: eventStream(events),
  }));
}

/** Answers them with one finished answer. */
export function scriptAnswer(page, answer) {
  return script(page, { event: 'retrieval', data: { ...BODY, passages: answer.nearest } }, { event: 'done', data: answer });
}
