import { Readable } from 'node:stream';

/** A source that a check pushes by hand, and that tells when its reader has taken what it was given. */
export class PushedSource extends Readable {
  /** Whether anybody has ever asked for bytes. */
  asked = false;
  #wanted: (() => void) | undefined;

  constructor() {
    // one byte: the stream asks for more only when its reader has taken everything
    super({ highWaterMark: 1 });
  }

  override _read(): void {
    this.asked = true;
    this.#wanted?.();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#wanted?.();
    callback(error);
  }

  /** Resolves when the reader has taken these bytes and wants more, or has gone. */
  give(bytes: Uint8Array | string): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#wanted = resolve;
    });
    this.push(bytes);
    return taken;
  }

  end(): void {
    this.push(null);
  }
}
