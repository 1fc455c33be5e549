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
  #staged: (() => void)[] = [];

  failAt(step: Step, error: Error): void {
    this.#failures.set(step, error);
  }

  async keys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const file of this.list()) keys.push(file.key);
    return keys;
  }

  /** Resolves when the next call of `_stage` begins. */
  nextStage(): Promise<void> {
    return new Promise((resolve) => this.#staged.push(resolve));
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    this.staging++;
    for (const wake of this.#staged.splice(0)) wake();
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
    }
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    const failure = this.#failures.get('delete');
    return failure === undefined ? super._delete(key, options) : Promise.reject(failure);
  }
}
