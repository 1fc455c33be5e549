import { Readable } from 'node:stream';
import { SourceError } from '../contract/index.js';

/**
 * Another storage's stream under a wrapper's name: the chunks as they came, no more read than asked for, errors in the wrapper's words.
 * An object of its own, because the inner stream already carries the inner storage's file.
 */
export class RelayedStream extends Readable {
  readonly #restate: (error: unknown) => Error;
  /** Whether to close without waiting for the other stream, which may hang. */
  protected _leavesUpstream = false;
  #upstream: Readable;
  #asked = false;

  constructor(upstream: Readable, restate: (error: unknown) => Error) {
    super();
    this.#restate = restate;
    this.#upstream = upstream;
    this.#listen(upstream);
  }

  override _read(): void {
    if (this.#asked) {
      this.#upstream.resume();
      return;
    }
    this.#asked = true;
    this.#flow();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const upstream = this.#upstream.destroy();
    // closed means released: what holds the descriptor or the socket is the other stream
    if (upstream.closed || this._leavesUpstream) callback(error);
    else
      upstream.once('close', () => {
        callback(error);
      });
  }

  /** A chunk has come. @returns whether the reader wants more at once */
  protected _pass(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  /** The other stream has ended by itself. */
  protected _ended(): void {
    this.push(null);
  }

  /** The other stream has failed before its end. */
  protected _broke(error: unknown): void {
    this.destroy(this.#restate(error));
  }

  /** Goes on with another stream, where the one before has broken off. */
  protected _follow(upstream: Readable): void {
    this.#upstream = upstream;
    this.#listen(upstream);
    if (this.#asked) this.#flow();
  }

  #listen(upstream: Readable): void {
    let over = false;
    const broke = (error: unknown): void => {
      if (!over && !this.destroyed) this._broke(error);
      over = true;
    };
    upstream.on('error', broke).on('close', () => {
      if (!upstream.readableEnded) broke(new SourceError('The stream closed before its end.'));
    });
  }

  #flow(): void {
    const upstream = this.#upstream;
    upstream
      .on('data', (chunk: Buffer) => {
        if (!this._pass(chunk)) upstream.pause();
      })
      .on('end', () => {
        this._ended();
      })
      // one that was paused does not flow for a listener alone
      .resume();
  }
}
