// Server-sent events from bytes, incrementally (HTML Living Standard, section 9.2.6).
// EventSource cannot be used: it neither posts a body nor sends an Authorization header.

/** Longest line or event kept, in UTF-16 units: past it the stream is refused. */
export const MAX_EVENT_LENGTH = 8 * 1024 * 1024;

/** Turns the chunks of a response body into events `{ event, data }`. */
export class EventStreamParser {
  #decoder = new TextDecoder('utf-8');
  #line = '';
  #afterReturn = false;
  #event = '';
  #data = [];
  #dataLength = 0;

  /** Takes one chunk, which may end anywhere, even inside a character; returns what is complete. */
  push(chunk) {
    return this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  #take(decoded) {
    if (decoded === '') return [];
    // A line feed right after a carriage return belongs to the line end already seen.
    const text = this.#afterReturn && decoded.startsWith('\n') ? decoded.slice(1) : decoded;
    this.#afterReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    const events = [];
    for (const line of lines) this.#endLine(line, events);
    if (this.#line.length + this.#dataLength > MAX_EVENT_LENGTH) {
      throw new RangeError('an event of the stream is too long');
    }
    return events;
  }

  #endLine(line, events) {
    if (line === '') {
      if (this.#data.length > 0) {
        events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
      }
      this.#event = '';
      this.#data = [];
      this.#dataLength = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length;
    }
  }
}
