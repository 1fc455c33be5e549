import { Readable } from 'node:stream';

/**
 * How much a file's stream holds before the client has to wait, in bytes. Less makes the storage starve between its writes; more only
 * keeps memory, and what waits longer is promoted by the garbage collector.
 */
const BUFFER = 256 * 1024;

/** A stream that is given its bytes, and says when it has room for more. */
export class ByteStream extends Readable {
  readonly #onRoom: () => void;
  #full = false;

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
    if (!this.destroyed) this.#full = !this.push(bytes);
  }

  finish(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#makeRoom();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#makeRoom();
    callback(error);
  }

  #makeRoom(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#onRoom();
  }
}
