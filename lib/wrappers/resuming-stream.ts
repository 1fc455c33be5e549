import type { Readable } from 'node:stream';
import { ConnectionError, type ResolvedRange, type StoredFileStream } from '../contract/index.js';
import { RelayedStream } from './relayed-stream.js';
import type { RetryPolicy } from './retry-policy.js';
import { Tries } from './tries.js';

/** Opens the same version again. */
export type Reopen = (range: ResolvedRange, signal: AbortSignal) => Promise<Readable>;

/** Bytes of one version of an object; where they break off, the rest is asked for. */
export class ResumingStream extends RelayedStream {
  readonly #restate: (error: unknown) => Error;
  readonly #policy: RetryPolicy;
  readonly #reopen: Reopen;
  readonly #closing = new AbortController();
  readonly #tries: Tries;
  readonly #offset: number;
  /** Bytes in all. */
  readonly #length: number;
  #passed = 0;

  constructor(stream: StoredFileStream, policy: RetryPolicy, restate: (error: unknown) => Error, reopen: Reopen) {
    super(stream, restate);
    this.#restate = restate;
    this.#policy = policy;
    this.#reopen = reopen;
    this.#offset = stream.range?.offset ?? 0;
    this.#length = stream.range?.length ?? stream.file.size;
    this.#tries = new Tries(policy, this.#closing.signal);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#closing.abort();
    super._destroy(error, callback);
  }

  protected override _pass(chunk: Buffer): boolean {
    this.#passed += chunk.length;
    this.#tries.progressed();
    return super._pass(chunk);
  }

  protected override _ended(): void {
    if (this.#passed >= this.#length) super._ended();
    else this._broke(new ConnectionError(`The storage gave ${this.#passed} of ${this.#length} bytes.`));
  }

  protected override _broke(error: unknown): void {
    // what broke off had nothing more to give
    if (this.#passed === this.#length && this.#policy.takes(error)) super._ended();
    else void this.#resume(error);
  }

  async #resume(broke: unknown): Promise<void> {
    let failure = broke;
    while (await this.#tries.again(failure)) {
      try {
        const range = { offset: this.#offset + this.#passed, length: this.#length - this.#passed };
        const upstream = await this.#reopen(range, this.#closing.signal);
        if (this.destroyed) upstream.on('error', () => undefined).destroy();
        else this._follow(upstream);
        return;
      } catch (error) {
        failure = error;
        // the version is gone, or not to be had: the stream fails as it would have without another try
        if (!this.#policy.takes(error)) break;
      }
    }
    this.destroy(this.#restate(this.#policy.takes(failure) ? this.#tries.answer(failure) : broke));
  }
}
