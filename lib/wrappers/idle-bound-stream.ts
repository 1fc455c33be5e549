import type { Readable } from 'node:stream';
import type { TimeoutError } from '../contract/index.js';
import { RelayedStream } from './relayed-stream.js';

/** Fails when nothing comes for too long. Only while its reader waits: one that reads slowly is not the storage's fault. */
export class IdleBoundStream extends RelayedStream {
  readonly #milliseconds: number;
  readonly #exceeded: () => TimeoutError;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    upstream: Readable,
    restate: (error: unknown) => Error,
    idle: { readonly milliseconds: number; readonly exceeded: () => TimeoutError },
  ) {
    super(upstream, restate);
    this.#milliseconds = idle.milliseconds;
    this.#exceeded = idle.exceeded;
  }

  override _read(): void {
    this.#watch();
    super._read();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#rest();
    super._destroy(error, callback);
  }

  protected override _pass(chunk: Buffer): boolean {
    this.#rest();
    const more = super._pass(chunk);
    if (more && !this.destroyed) this.#watch();
    return more;
  }

  protected override _ended(): void {
    this.#rest();
    super._ended();
  }

  #watch(): void {
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this._leavesUpstream = true;
      this.destroy(this.#exceeded());
    }, this.#milliseconds);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
