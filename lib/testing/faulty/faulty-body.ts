import { Readable } from 'node:stream';
import { types } from 'node:util';
import { closeIterator } from '../../contract/source/index.js';
import type { Fault } from './fault.js';

/** What happens when the bytes or items before a fault have passed: it throws, it waits, or it says that this is the end. */
export type Strike = (fault: Fault) => Promise<'go-on' | 'end'>;

/** Bytes of another source that goes wrong where its faults say. Reads no more ahead than one chunk, and destroys the source with itself. */
export class FaultyBody extends Readable {
  readonly #source: AsyncIterable<unknown>;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #faults: Fault[];
  readonly #strike: Strike;
  #passed = 0;
  #rest: Buffer | undefined;

  constructor(source: AsyncIterable<unknown>, faults: readonly Fault[], strike: Strike) {
    super({ highWaterMark: 1 });
    this.#source = source;
    // an error of a stream that nobody has begun to read must not end the process; the reader hears it from the iterator
    if (source instanceof Readable) source.on('error', () => undefined);
    this.#chunks = source[Symbol.asyncIterator]();
    this.#faults = faults.toSorted((a, b) => (a.after ?? 0) - (b.after ?? 0));
    this.#strike = strike;
  }

  override _read(): void {
    this.#next().then(
      (chunk) => {
        if (!this.destroyed) this.push(chunk);
      },
      (error: unknown) => {
        this.destroy(error as Error);
      },
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#source instanceof Readable) this.#source.destroy();
    else void closeIterator(this.#chunks);
    callback(error);
  }

  async #next(): Promise<Buffer | null> {
    for (;;) {
      const fault = this.#faults[0];
      if (fault?.after === this.#passed) {
        this.#faults.shift();
        if ((await this.#strike(fault)) === 'end') return null;
        continue;
      }
      const chunk = this.#rest ?? (await this.#pull());
      this.#rest = undefined;
      if (chunk === null) return null;
      const room = fault?.after === undefined ? chunk.length : Math.min(chunk.length, fault.after - this.#passed);
      if (room < chunk.length) this.#rest = chunk.subarray(room);
      this.#passed += room;
      // an empty chunk would say "nothing for now" to a Readable
      if (room > 0) return chunk.subarray(0, room);
    }
  }

  async #pull(): Promise<Buffer | null> {
    const result = await this.#chunks.next();
    if (result.done === true) return null;
    if (typeof result.value === 'string') return Buffer.from(result.value);
    if (types.isUint8Array(result.value)) return Buffer.from(result.value);
    throw new TypeError(`The body must yield Uint8Array or string, not ${typeof result.value}.`);
  }
}
