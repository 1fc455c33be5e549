import { Readable } from 'node:stream';
import { SourceError } from '../contract/index.js';

/**
 * Another storage's stream under a wrapper's name: the chunks as they came, no more read than asked for, errors in the wrapper's words.
 * An object of its own, because the inner stream already carries the inner storage's file.
 */
export class RelayedStream extends Readable {
  readonly #upstream: Readable;
  #started = false;

  constructor(upstream: Readable, restate: (error: unknown) => Error) {
    super();
    this.#upstream = upstream;
    upstream
      .on('error', (error) => this.destroy(restate(error)))
      .on('close', () => {
        if (!upstream.readableEnded) this.destroy(new SourceError('The stream closed before its end.'));
      });
  }

  override _read(): void {
    if (this.#started) {
      this.#upstream.resume();
      return;
    }
    this.#started = true;
    this.#upstream
      .on('data', (chunk: unknown) => {
        if (!this.push(chunk)) this.#upstream.pause();
      })
      .on('end', () => this.push(null))
      // one that was paused does not flow for a listener alone
      .resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#upstream.destroy();
    callback(error);
  }
}
