/**
 * The most spaces and tabs behind a delimiter, in bytes. RFC 2046 allows any number ("transport padding") and no client sends one; but they
 * have to be kept until it is clear whether they belong to a delimiter.
 */
export const MAX_PADDING = 1024;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DASH = 0x2d;

/**
 * What the bytes so far are: `open` where the next one has to be seen, `part` where they are a delimiter that a part follows, `close` where
 * they are the last one, `none` where they are no delimiter (the last byte is not taken then), `endless` where its padding is too long.
 */
export type Verdict = 'open' | 'part' | 'close' | 'none' | 'endless';

/**
 * Finds the delimiters of RFC 2046, section 5.1.1: CRLF, `--`, the boundary, padding, CRLF; the last one has `--` after the boundary, and
 * whatever follows that is no part of the form.
 *
 * A line that goes on in another way (`--boundaryX`) is content, however much it looks like a delimiter: a boundary that begins like
 * another one does not end that one's parts. (busboy ends the part there and drops what follows.)
 *
 * Only the first byte of a delimiter can be the beginning of another one, since a boundary has no CR. So nothing has to be read
 * twice: where a delimiter turns out to be none, the search goes on behind what was read of it.
 */
export class Delimiter {
  readonly #needle: Buffer;
  #matched = 0;
  #padding = 0;
  /** The byte behind the boundary that needs another one, CR or a dash. */
  #last = 0;

  constructor(boundary: string) {
    this.#needle = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** How much of CRLF, `--` and boundary has been taken; 0 where no delimiter is under way. */
  get taken(): number {
    return this.#matched;
  }

  /** Whether a whole boundary has been taken. */
  get isWhole(): boolean {
    return this.#matched === this.#needle.length;
  }

  reset(): void {
    this.#matched = 0;
  }

  /** As if a CRLF had been read: at the beginning of a body, and behind the empty line that ends a header. */
  resetToLine(): void {
    this.#taken(2, 0);
  }

  /**
   * Where the next delimiter in the chunk may begin: a boundary, a part of one at the chunk's end, or a CR before `near`. The chunk's
   * length where none does. As much of it as has been seen counts as taken.
   */
  find(chunk: Buffer, from: number, near: number): number {
    for (let at = from; at < near && at < chunk.length; at++) {
      if (chunk[at] === CR) return this.#taken(1, at);
    }
    const start = Math.max(from, near);
    const found = chunk.indexOf(this.#needle, start);
    if (found >= 0) return this.#taken(this.#needle.length, found);
    const earliest = Math.max(start, chunk.length - this.#needle.length + 1);
    for (let at = chunk.length - 1; at >= earliest; at--) {
      if (chunk[at] !== CR) continue;
      const rest = chunk.length - at;
      return this.#needle.compare(chunk, at, chunk.length, 0, rest) === 0 ? this.#taken(rest, at) : chunk.length;
    }
    return chunk.length;
  }

  /** Takes the next byte. */
  next(byte: number): Verdict {
    if (this.#matched < this.#needle.length) {
      if (byte !== this.#needle[this.#matched]) return 'none';
      this.#matched++;
      return 'open';
    }
    if (this.#last === CR) return byte === LF ? 'part' : 'none';
    if (this.#last === DASH) return byte === DASH ? 'close' : 'none';
    if (byte === SPACE || byte === TAB) return ++this.#padding > MAX_PADDING ? 'endless' : 'open';
    if (byte !== CR && (byte !== DASH || this.#padding > 0)) return 'none';
    this.#last = byte;
    return 'open';
  }

  #taken(bytes: number, begin: number): number {
    this.#matched = bytes;
    this.#padding = 0;
    this.#last = 0;
    return begin;
  }
}
