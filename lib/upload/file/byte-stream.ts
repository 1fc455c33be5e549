import { Readable } from 'node:stream';
import { GatheredBytes, SMALL } from './gathered-bytes.js';

/**
 * How much a file's stream holds before the client has to wait, in bytes. Less makes the storage starve between its writes; more only
 * keeps memory, and what waits longer is promoted by the garbage collector.
 */
const BUFFER = 256 * 1024;

/** What a reader has before it, in bytes, while small slices behind that are gathered: he is not short of any. */
const ENOUGH = 4 * 1024;

/** How much is gathered at most, in bytes. */
const GATHERED = 16 * 1024;

/** A stream that is given its bytes, and says when it has room for more. */
export class ByteStream extends Readable {
  readonly #onRoom: () => void;
  #full = false;
  readonly #gathered = new GatheredBytes();

  constructor(onRoom: () => void) {
    super({ highWaterMark: BUFFER });
    this.#onRoom = onRoom;
    // whoever destroys it with an error has told it elsewhere, and nobody need listen by then
    this.on('error', () => undefined);
  }

  /** Whether the giver should wait. */
  get full(): boolean {
    return this.#full;
  }

  give(bytes: Buffer): void {
    if (this.destroyed) return;
    if (bytes.length < SMALL && this.readableLength >= ENOUGH && this.#gathered.size < GATHERED) {
      this.#gathered.add(bytes);
      return;
    }
    this.#giveGathered();
    this.#full = !this.push(bytes);
  }

  finish(): void {
    if (this.destroyed) return;
    this.#giveGathered();
    this.push(null);
  }

  override _read(): void {
    this.#giveGathered();
    this.#makeRoom();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#makeRoom();
    callback(error);
  }

  #giveGathered(): void {
    if (this.#gathered.size === 0) return;
    for (const bytes of this.#gathered.take()) this.#full = !this.push(bytes);
  }

  #makeRoom(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#onRoom();
  }
}
