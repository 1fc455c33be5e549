import { createHash, type Hash } from 'node:crypto';
import { OutgoingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { BLOCK, type BlockPool } from './block-pool.js';

/** Bytes that go to the socket at once: what passes of them is how a hanging request is told from a slow one. */
const PIECE = 1024 * 1024;

export type Integrity = 'crc32' | 'md5' | 'none';

/**
 * The bytes of one request, as slices: never one piece, and sent again from the start as often as it takes.
 *
 * With a pool the slices that came are copied into blocks of it as soon as they fill one, and are free to be collected.
 *
 * To the SDK it is an empty array of bytes. A stream would make it warn, send chunks that several servers refuse, and give up at the first
 * failure; `RequestHandler` sends the slices in its place.
 */
export class SlicedBody extends Uint8Array {
  #slices: Uint8Array[] = [];
  /** The first so many slices are blocks of the pool. */
  #blocks = 0;
  /** Bytes of the slices after them. */
  #loose = 0;
  readonly #pool: BlockPool | undefined;
  #reads = 0;
  #isFlushed = false;
  readonly #integrity: Integrity;
  readonly #md5: Hash | undefined;
  #crc = 0;
  #size = 0;
  #digest: Buffer | undefined;

  constructor(integrity: Integrity, pool?: BlockPool) {
    super(0);
    this.#pool = pool;
    this.#md5 = integrity === 'md5' ? createHash('md5') : undefined;
    this.#integrity = integrity;
  }

  // what an array makes of itself (slice, map) is an array
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  get size(): number {
    return this.#size;
  }

  add(slice: Uint8Array): void {
    this.#slices.push(slice);
    this.#size += slice.byteLength;
    this.#md5?.update(slice);
    if (this.#integrity === 'crc32') this.#crc = crc32(slice, this.#crc);
    this.#loose += slice.byteLength;
    if (this.#pool !== undefined) while (this.#loose >= BLOCK) this.#gather(this.#pool);
  }

  /** What the server checks the bytes by. */
  checks(): { ContentMD5?: string; ChecksumCRC32?: string } {
    if (this.#integrity === 'crc32') {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(this.#crc);
      return { ChecksumCRC32: bytes.toString('base64') };
    }
    if (this.#md5 === undefined) return {};
    this.#digest ??= this.#md5.digest();
    return { ContentMD5: this.#digest.toString('base64') };
  }

  /** The MD5 in hex, which is the etag of an object that was put in one piece and not encrypted. */
  md5(): string {
    this.#digest ??= this.#md5?.digest();
    if (this.#digest !== undefined) return this.#digest.toString('hex');
    const hash = createHash('md5');
    for (const slice of this.#slices) hash.update(slice);
    return hash.digest('hex');
  }

  /** A stream of the bytes from their start. @param onProgress called whenever some have been taken */
  read(onProgress: () => void): Readable {
    this.#reads++;
    const onFlushed = (): void => {
      this.#isFlushed = true;
    };
    return new SlicesReader(this.#slices, { onProgress, onFlushed });
  }

  /** Gives up the bytes, when the request has ended: the blocks are used again, unless a connection may still read them. */
  release(): void {
    if (this.#reads === 1 && this.#isFlushed) this.#pool?.give(this.#slices.slice(0, this.#blocks));
    this.#slices = [];
    this.#blocks = 0;
    this.#loose = 0;
  }

  /** Copies the first of the loose slices into a block. */
  #gather(pool: BlockPool): void {
    const block = pool.take();
    const rest = this.#slices.splice(this.#blocks);
    let filled = 0;
    for (const slice of rest) {
      const taken = slice.subarray(0, BLOCK - filled);
      block.set(taken, filled);
      filled += taken.byteLength;
      if (filled === BLOCK) {
        // the slice of which something may be left is the last one: no block was full before it came
        this.#slices.push(block);
        this.#blocks++;
        if (taken.byteLength < slice.byteLength) this.#slices.push(slice.subarray(taken.byteLength));
      }
    }
    this.#loose -= BLOCK;
  }

  /** What is kept in memory of its own, so that whoever gave it may change it. */
  copy(): SlicedBody {
    const copy = new SlicedBody(this.#integrity);
    for (const slice of this.#slices) copy.add(Buffer.from(slice));
    return copy;
  }
}

interface ReaderEvents {
  readonly onProgress: () => void;
  /** All bytes are the system's. */
  readonly onFlushed: () => void;
}

class SlicesReader extends Readable {
  readonly #slices: readonly Uint8Array[];
  readonly #onProgress: () => void;
  readonly #onFlushed: () => void;
  #next = 0;
  #offset = 0;

  constructor(slices: readonly Uint8Array[], { onProgress, onFlushed }: ReaderEvents) {
    super();
    this.#slices = slices;
    this.#onProgress = onProgress;
    this.#onFlushed = onFlushed;
  }

  override _read(): void {
    this.#onProgress();
    this.push(this.#take(PIECE) ?? null);
  }

  /** Into a request many slices are one call of the system: to write each for itself costs a fourth of an upload. */
  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    if (!(destination instanceof OutgoingMessage)) return super.pipe(destination);
    // also told of one that was destroyed with bytes in its queue
    destination.once('finish', () => {
      if (!destination.destroyed) this.#onFlushed();
    });
    const write = (): void => {
      this.#onProgress();
      if (destination.destroyed || this.destroyed) return;
      destination.cork();
      let left = PIECE;
      let isFull = false;
      for (let piece = this.#take(left); piece !== undefined; piece = left > 0 ? this.#take(left) : undefined) {
        isFull = !destination.write(piece) || isFull;
        left -= piece.byteLength;
      }
      if (this.#next === this.#slices.length) destination.end();
      else if (isFull) destination.once('drain', write);
      else setImmediate(write);
      destination.uncork();
    };
    write();
    return destination;
  }

  /** The next bytes, never none. */
  #take(most: number): Uint8Array | undefined {
    for (;;) {
      const slice = this.#slices[this.#next];
      if (slice === undefined) return undefined;
      const piece = slice.subarray(this.#offset, this.#offset + most);
      this.#offset += piece.byteLength;
      if (this.#offset === slice.byteLength) {
        this.#next++;
        this.#offset = 0;
      }
      if (piece.byteLength > 0) return piece;
    }
  }
}
