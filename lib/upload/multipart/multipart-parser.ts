import { Delimiter, MAX_PADDING } from './delimiter.js';
import { MultipartError } from './multipart-error.js';
import { type PartHeader, partHeaderOf } from './part-header.js';

export { MultipartError, type MultipartFailure } from './multipart-error.js';
export type { PartHeader } from './part-header.js';

/** The longest header of a part, in bytes, with the empty line that ends it: Node's own limit for a request's. */
export const MAX_HEADER_SIZE = 16 * 1024;

/** The most lines of a part's header, unless the parser is told otherwise. Clients send two or three. */
export const MAX_HEADER_LINES = 100;

/** How far to look byte by byte behind a boundary that was none: where there is one there may be thousands, and a search has its price. */
const NEAR = 64;

const CRLF = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * Called synchronously from inside write() and end(), in the order of the body. A listener may call stop() at any time; nothing is told
 * after it.
 */
export interface MultipartListener {
  onPartBegin(header: PartHeader): void;
  /** A slice of a chunk that was written, never copied (save for the few bytes held back at a chunk border); never empty. */
  onPartData(bytes: Buffer): void;
  onPartEnd(): void;
  /** The closing delimiter has been read and the body has ended. */
  onEnd(): void;
  /** At most once; after it nothing is told. A part that was begun is not ended. */
  onError(error: MultipartError): void;
}

/** Where in the body the next byte stands. What stands before the first delimiter and behind the last one is no part of the form. */
type Place = 'preamble' | 'header' | 'content' | 'epilogue' | 'over';

/**
 * A parser of multipart/form-data (RFC 7578) that holds nothing back but an unfinished header and an unfinished delimiter. What it tells
 * depends on the bytes alone, not on where the chunks end. It does not throw, unless its listener does.
 *
 * A delimiter stands at the beginning of a line: of the body, behind a CRLF, or behind the empty line that ends a header (RFC 2046 allows
 * a part to end with its header).
 */
export class MultipartParser {
  readonly #listener: MultipartListener;
  readonly #delimiter: Delimiter;
  #place: Place = 'preamble';
  /** The beginning of a header or of a delimiter that the chunks so far did not end. A chunk is not kept for it. */
  #held: Buffer | undefined;
  #heldLength = 0;

  readonly #maxHeaderLines: number;

  /**
   * @param boundary checked already: 1 to 70 of the characters of RFC 2046
   * @param maxHeaderLines of one part, those of folded values counted by themselves
   */
  constructor(boundary: string, listener: MultipartListener, maxHeaderLines = MAX_HEADER_LINES) {
    this.#listener = listener;
    this.#maxHeaderLines = maxHeaderLines;
    this.#delimiter = new Delimiter(boundary);
    this.#delimiter.resetToLine();
  }

  /** Takes the next bytes of the body. Not to be called by the listener. */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      switch (this.#place) {
        case 'preamble':
        case 'content':
          at = this.#readContent(chunk, at);
          break;
        case 'header':
          at = this.#readHeader(chunk, at);
          break;
        case 'epilogue':
        case 'over':
          return;
      }
    }
  }

  /** The body has ended. */
  end(): void {
    if (this.#place === 'over') return;
    if (this.#place !== 'epilogue') {
      this.#fail(new MultipartError('unexpected-end', 'The form ended before its closing delimiter.'));
      return;
    }
    this.stop();
    this.#listener.onEnd();
  }

  /** Nothing is told from now on. */
  stop(): void {
    this.#place = 'over';
    this.#held = undefined;
    this.#heldLength = 0;
  }

  /** Reads to the next delimiter, or to the end of the chunk. Returns where to go on. */
  #readContent(chunk: Buffer, from: number): number {
    const delimiter = this.#delimiter;
    // where the delimiter under way begins; one that began in an earlier chunk, or with a CRLF that is read already, has no bytes to tell here
    let begin = from;
    let at = from;
    let near = 0;
    while (at < chunk.length) {
      if (delimiter.taken === 0) {
        begin = delimiter.find(chunk, at, near);
        at = begin + delimiter.taken;
        continue;
      }
      const verdict = delimiter.next(chunk[at] ?? 0);
      if (verdict === 'open') {
        at++;
      } else if (verdict === 'none') {
        if (delimiter.isWhole) near = at + NEAR;
        delimiter.reset();
        this.#tellHeld();
      } else if (verdict === 'endless') {
        this.#tell(chunk, from, begin);
        this.#fail(
          new MultipartError(
            'malformed-body',
            `A delimiter is followed by more than ${MAX_PADDING} bytes of white space.`,
          ),
        );
        return chunk.length;
      } else {
        this.#tell(chunk, from, begin);
        this.#endPart(verdict);
        return at + 1;
      }
    }
    this.#tell(chunk, from, begin);
    if (delimiter.taken > 0) this.#hold(chunk, begin, chunk.length);
    return chunk.length;
  }

  #endPart(delimiter: 'part' | 'close'): void {
    if (this.#place === 'over') return;
    this.#heldLength = 0;
    const inPart = this.#place === 'content';
    this.#place = delimiter === 'part' ? 'header' : 'epilogue';
    if (inPart) this.#listener.onPartEnd();
  }

  /** Reads to the end of a header, or of the chunk. Returns where to go on. */
  #readHeader(chunk: Buffer, from: number): number {
    if (this.#heldLength === 0) {
      const end = endOfHeader(chunk, from, from);
      if (end > 0 && end - from <= MAX_HEADER_SIZE) {
        this.#beginPart(chunk, from, end);
        return end;
      }
    }
    const before = this.#heldLength;
    const held = this.#hold(chunk, from, Math.min(chunk.length, from + MAX_HEADER_SIZE - before));
    const end = endOfHeader(held.subarray(0, this.#heldLength), 0, Math.max(0, before - 3));
    if (end > 0) {
      this.#heldLength = 0;
      this.#beginPart(held, 0, end);
      return from + end - before;
    }
    if (this.#heldLength === MAX_HEADER_SIZE) {
      this.#fail(
        new MultipartError('malformed-header', `The header of a part has more than ${MAX_HEADER_SIZE} bytes.`),
      );
    }
    return chunk.length;
  }

  #beginPart(bytes: Buffer, start: number, end: number): void {
    let header: PartHeader;
    try {
      header = partHeaderOf(bytes.toString('latin1', start, end - CRLF.length), this.#maxHeaderLines);
    } catch (error) {
      this.#fail(error instanceof MultipartError ? error : new MultipartError('malformed-header', String(error)));
      return;
    }
    this.#place = 'content';
    this.#delimiter.resetToLine();
    this.#listener.onPartBegin(header);
  }

  #tell(chunk: Buffer, start: number, end: number): void {
    if (start === end || this.#place !== 'content') return;
    this.#listener.onPartData(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end));
  }

  /** What looked like the beginning of a delimiter is content. The listener gets bytes of its own: the next ones are held in the same place. */
  #tellHeld(): void {
    const length = this.#heldLength;
    this.#heldLength = 0;
    if (length === 0 || this.#held === undefined || this.#place !== 'content') return;
    this.#listener.onPartData(Buffer.from(this.#held.subarray(0, length)));
  }

  #hold(chunk: Buffer, start: number, end: number): Buffer {
    this.#held ??= Buffer.allocUnsafe(MAX_HEADER_SIZE);
    this.#heldLength += chunk.copy(this.#held, this.#heldLength, start, end);
    return this.#held;
  }

  #fail(error: MultipartError): void {
    if (this.#place === 'over') return;
    this.stop();
    this.#listener.onError(error);
  }
}

/** Where the header that begins at `start` has ended, its empty line included; -1 where it goes on. It is searched from `from` on. */
function endOfHeader(bytes: Buffer, start: number, from: number): number {
  // a header of no lines: its empty line is the first one
  if (bytes.length >= start + 2 && bytes[start] === 0x0d && bytes[start + 1] === 0x0a) return start + 2;
  const found = bytes.indexOf(HEADER_END, from);
  return found < 0 ? -1 : found + HEADER_END.length;
}
