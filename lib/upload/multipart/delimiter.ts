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

  /** Whether an unfinished delimiter is under way. */
  get isOpen(): boolean {
    return this.#matched > 0;
  }

  reset(): void {
    this.#matched = 0;
  }

  /** As if a CRLF had been read: at the beginning of a body, and behind the empty line that ends a header. */
  resetToLine(): void {
    this.#matched = 2;
    this.#padding = 0;
    this.#last = 0;
  }

  /** Where the next delimiter in the chunk may begin: a boundary, or a part of one at the chunk's end. The chunk's length where none does. */
  find(chunk: Buffer, from: number): number {
    const found = chunk.indexOf(this.#needle, from);
    if (found >= 0) return found;
    const earliest = Math.max(from, chunk.length - this.#needle.length + 1);
    for (let at = chunk.length - 1; at >= earliest; at--) {
      if (chunk[at] === CR) return this.#beginsAt(chunk, at) ? at : chunk.length;
    }
    return chunk.length;
  }

  /** Takes what {@link find} has compared already. Returns where to go on. */
  skipFound(chunk: Buffer, at: number): number {
    this.resetToLine();
    this.#matched = Math.min(this.#needle.length, chunk.length - at);
    return at + this.#matched;
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

  #beginsAt(chunk: Buffer, at: number): boolean {
    return this.#needle.compare(chunk, at, chunk.length, 0, chunk.length - at) === 0;
  }
}
