import type { Readable } from 'node:stream';
import { SourceError } from '../errors/index.js';

/** Who takes the bytes of a source. Of `end` and `fail` one is told, once or more often. */
export interface SourceTaker {
  readonly take: (chunk: Uint8Array) => void;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
}

/** Reads a source by its events, which costs less than a promise a chunk; for backends. Its taker pauses and resumes the source. */
export class SourceReading {
  readonly #source: Readable;
  readonly #taker: SourceTaker;
  #ended = false;

  constructor(source: Readable, taker: SourceTaker) {
    this.#source = source;
    this.#taker = taker;
  }

  /** Begins to listen at once: a source that fails before anybody does would never be heard of. */
  begin(): void {
    const source = this.#source;
    source.on('end', this.#onEnd).on('error', this.#taker.fail).on('close', this.#onClose);
    if (source.destroyed) this.#onClose();
    else source.on('data', this.#taker.take).resume(); // it may have been paused before
  }

  /** Listens no more. One that is not wanted any more is paused. */
  stop(failed: boolean): void {
    const source = this.#source;
    source
      .off('data', this.#taker.take)
      .off('end', this.#onEnd)
      .off('error', this.#taker.fail)
      .off('close', this.#onClose);
    if (failed) source.pause();
  }

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#taker.end();
  };

  readonly #onClose = (): void => {
    if (this.#ended) return;
    this.#taker.fail(this.#source.errored ?? new SourceError('The source closed before it had ended.'));
  };
}
