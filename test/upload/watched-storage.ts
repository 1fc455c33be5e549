import type { Readable } from 'node:stream';
import {
  MemoryStorage,
  type ResolvedDeleteOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StorageError,
} from 'nestjs-storages';

type Step = 'stage' | 'commit' | 'delete';

/** A memory storage that knows what is staged in it, and fails where it is told to. */
export class WatchedStorage extends MemoryStorage {
  /** Files that are staged and neither committed nor aborted. */
  staged = 0;
  /** Calls of `_stage` that have not settled. */
  staging = 0;
  /** How often the source of a file came to its end. */
  sourcesEnded = 0;
  readonly #failures = new Map<Step, StorageError | Error>();
  readonly #waiting: (() => void)[] = [];

  failAt(step: Step, error: Error): void {
    this.#failures.set(step, error);
  }

  async keys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const file of this.list()) keys.push(file.key);
    return keys;
  }

  /** Resolves when there is no file, nothing staged and nothing being staged; it is looked at after each step. */
  async untilNothing(): Promise<void> {
    while (this.staged > 0 || this.staging > 0 || (await this.keys()).length > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when something is staged or being staged. */
  async untilStaging(): Promise<void> {
    while (this.staged + this.staging === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    this.staging++;
    this.#wake();
    try {
      const failure = this.#failures.get('stage');
      if (failure !== undefined) throw failure;
      source.once('end', () => this.sourcesEnded++);
      const bytes = await super._stage(key, source, options);
      this.staged++;
      let open = true;
      const close = (): void => {
        if (open) this.staged--;
        open = false;
        this.#wake();
      };
      return {
        size: bytes.size,
        commit: async () => {
          const failed = this.#failures.get('commit');
          if (failed !== undefined) throw failed;
          const file = await bytes.commit();
          close();
          return file;
        },
        abort: () => {
          close();
          return bytes.abort();
        },
      };
    } finally {
      this.staging--;
      this.#wake();
    }
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    const failure = this.#failures.get('delete');
    if (failure !== undefined) return Promise.reject(failure);
    return super._delete(key, options).finally(() => {
      this.#wake();
    });
  }
}
