import type { StorageOperation } from '../../contract/index.js';

/** One call of a method, as a test wants to look at it. Bytes are never in it. */
export interface RecordedCall {
  /** `commit` and `abort` are those of a staged file. */
  readonly method: StorageOperation;
  /** As it was given; of `copy` and `move` the source. */
  readonly key?: string;
  /** Of `copy` and `move`. */
  readonly destination?: string;
  /** Of `deleteMany`. */
  readonly keys?: readonly string[];
  /** Of `list`, `listEntries` and `deletePrefix`. */
  readonly prefix?: string;
  /** As they were given; `{}` where there were none. */
  readonly options: object;
  /** How it ended; a listing ends when its reader leaves it or comes to the end. */
  readonly outcome: 'pending' | 'resolved' | 'rejected';
  /** Why it was rejected. */
  readonly error?: unknown;
}

type Description = Omit<RecordedCall, 'outcome' | 'error' | 'options'> & { readonly options: object | undefined };

/** Keeps what was called, in the order of the calls, and how each call ended. */
export class CallLog {
  readonly #calls: RecordedCall[] = [];

  get calls(): readonly RecordedCall[] {
    return [...this.#calls];
  }

  clear(): void {
    this.#calls.length = 0;
  }

  async record<T>(description: Description, work: () => Promise<T>): Promise<T> {
    const end = this.#begin(description);
    try {
      const result = await work();
      end('resolved');
      return result;
    } catch (error) {
      end('rejected', error);
      throw error;
    }
  }

  /** A listing is a call from its first step on. */
  async *recordListing<T>(description: Description, items: () => AsyncIterable<T>): AsyncGenerator<T> {
    const end = this.#begin(description);
    try {
      yield* items();
    } catch (error) {
      end('rejected', error);
      throw error;
    } finally {
      end('resolved'); // at the end, or left by its reader; after an error it says nothing new
    }
  }

  #begin(description: Description): (outcome: 'resolved' | 'rejected', error?: unknown) => void {
    const call: { -readonly [K in keyof RecordedCall]: RecordedCall[K] } = {
      ...description,
      options: { ...description.options },
      outcome: 'pending',
    };
    this.#calls.push(call);
    return (outcome, error) => {
      if (call.outcome !== 'pending') return;
      call.outcome = outcome;
      if (error !== undefined) call.error = error;
    };
  }
}
