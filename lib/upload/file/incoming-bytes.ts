import type { Listed } from '../../contract/base/live-list.js';
import type { Checksum } from '../../contract/index.js';
import { ByteStream } from './byte-stream.js';
import { SIGNATURE_BYTES } from './content-type-of-bytes.js';
import { Digest } from './digest.js';
import { GatheredBytes } from './gathered-bytes.js';

/** How much of a file is looked at before the storage gets it, in bytes. A file that ends before is small: it needs no stream. */
export const HEAD_BYTES = 64 * 1024;

/** The beginning of a file. */
export interface FileHead {
  /** All bytes of the file where it is `whole`; else as many as tell its type. */
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/**
 * The bytes of one file as they arrive: held until somebody has looked at their beginning, then passed on to as many streams as were opened.
 * What is given beyond that waits in memory: the giver stops while it is `full`.
 */
export class IncomingBytes implements Listed {
  readonly head: Promise<FileHead>;
  readonly digest: Digest | undefined;
  /** Bytes that have come. */
  size = 0;
  /** Among the files that are on their way. */
  place: number | undefined;
  readonly #onRoom: () => void;
  readonly #held = new GatheredBytes();
  #dropped = false;
  #passing = false;
  #ended = false;
  #failure: Error | undefined;
  readonly #streams: ByteStream[] = [];
  /** Undefined once it has been told. */
  #tellHead: ((head: FileHead) => void) | undefined;

  constructor(algorithm: keyof Checksum | undefined, onRoom: () => void) {
    this.#onRoom = onRoom;
    this.digest = algorithm === undefined ? undefined : new Digest(algorithm);
    this.head = new Promise((resolve) => {
      this.#tellHead = resolve;
    });
  }

  /** Whether the giver should wait: a reader has not kept up, or nobody has decided yet who reads. */
  get full(): boolean {
    if (this.#passing) return this.#streams.some((stream) => stream.full);
    return this.#tellHead === undefined && !this.#ended && this.#held.size >= 2 * HEAD_BYTES;
  }

  /** Whether all bytes have come. */
  get ended(): boolean {
    return this.#ended;
  }

  give(bytes: Buffer): void {
    this.size += bytes.length;
    this.digest?.add(bytes);
    if (this.#dropped) return;
    if (this.#passing) {
      for (const stream of this.#streams) stream.give(bytes);
      return;
    }
    this.#held.add(bytes);
    if (this.#held.size >= HEAD_BYTES) this.#showHead(false);
  }

  end(): void {
    this.#ended = true;
    this.digest?.end();
    if (this.#passing) for (const stream of this.#streams) stream.finish();
    else this.#showHead(true);
  }

  /** Whoever reads hears of it. Somebody who still waits for the head waits on: the request has failed, and nobody waits for him. */
  fail(reason: Error): void {
    this.#failure = reason;
    for (const stream of this.#streams) stream.destroy(reason);
    this.drop();
  }

  /** Throws away what has come and what comes. */
  drop(): void {
    this.#dropped = true;
    this.#held.take();
    this.#onRoom();
  }

  /** A stream of all bytes, from the first one on; they come after `passOn`. */
  open(): ByteStream {
    const stream = new ByteStream(this.#onRoom);
    this.#streams.push(stream);
    return stream;
  }

  /** Gives the opened streams what was held: from now on they get what comes. */
  passOn(): void {
    this.#passing = true;
    const held = this.#held.take();
    for (const stream of this.#streams) {
      if (this.#failure !== undefined) stream.destroy(this.#failure);
      for (const bytes of held) stream.give(bytes);
      if (this.#ended) stream.finish();
    }
    if (!this.full) this.#onRoom();
  }

  #showHead(whole: boolean): void {
    const tell = this.#tellHead;
    this.#tellHead = undefined;
    if (tell === undefined) return;
    const { slices } = this.#held;
    const [first] = slices;
    const enough = slices.length === 1 || (!whole && (first?.length ?? 0) >= SIGNATURE_BYTES);
    tell({ bytes: enough && first !== undefined ? first : Buffer.concat(slices), whole });
  }
}
