import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ResolvedCopyOptions, ResolvedDeleteOptions, ResolvedPutOptions } from 'nestjs-storages';
import type { SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import type { Programs } from '../crash/process/programs.js';

export interface Upload {
  readonly key: string;
  readonly options: ResolvedPutOptions;
}

export type Change =
  | { readonly name: 'delete'; readonly key: string; readonly options: ResolvedDeleteOptions }
  | { readonly name: 'deleteMany'; readonly keys: readonly string[] }
  | {
      readonly name: 'copy' | 'move';
      readonly source: string;
      readonly destination: string;
      readonly options: ResolvedCopyOptions;
    };

type Asked =
  | { readonly kind: 'open'; readonly config: SQLiteStorageConfig }
  | { readonly kind: 'close'; readonly filename: string }
  | { readonly kind: 'change'; readonly filename: string; readonly change: Change }
  | { readonly kind: 'put' | 'stage'; readonly filename: string; readonly upload: Upload }
  | { readonly kind: 'commit' | 'abort'; readonly staged: number }
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' | 'fail' };

export type Question = Asked & { readonly id: number };

export type Answer = { readonly id: number } & (
  | { readonly kind: 'ready' | 'more' }
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
);

/** An error of the other process. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Pending {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The other side wants to have more of a body. */
  readonly more: () => void;
}

/** A process that changes databases for this one. */
export class SecondProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(program: string) {
    this.#child = fork(program, { execArgv: [], serialization: 'advanced' });
    this.#exit = once(this.#child, 'exit');
    this.#child.on('message', (answer: Answer) => {
      this.#hear(answer);
    });
  }

  static async start(programs: Programs): Promise<SecondProcess> {
    const second = new SecondProcess(programs.pathOf('test/sqlite/process/second.ts'));
    await once(second.#child, 'message');
    return second;
  }

  async end(): Promise<void> {
    this.#child.kill();
    await this.#exit;
  }

  ask(asked: Asked): Promise<unknown> {
    return this.#begin(asked, () => undefined).answer;
  }

  /** @returns the answer, and the number under which what was staged is committed or given up */
  async upload(
    kind: 'put' | 'stage',
    filename: string,
    key: string,
    options: ResolvedPutOptions,
    source: Readable,
  ): Promise<{ readonly output: unknown; readonly id: number }> {
    const { bytes, signal: _signal, ...rest } = options;
    const chunks = (bytes === undefined ? source : piecesOf(bytes))[Symbol.asyncIterator]();
    const { id, answer } = this.#begin({ kind, filename, upload: { key, options: rest } }, () => {
      // one at a time, when it is wanted: the memory of either side stays bounded
      chunks.next().then(
        (next) => {
          this.#send(next.done === true ? { id, kind: 'end' } : { id, kind: 'chunk', bytes: bytesOf(next.value) });
        },
        (error: unknown) => {
          failure = { error };
          this.#send({ id, kind: 'fail' });
        },
      );
    });
    let failure: { readonly error: unknown } | undefined;
    try {
      return { output: await answer, id };
    } catch (error) {
      throw failure === undefined ? error : failure.error;
    }
  }

  #begin(asked: Asked, more: () => void): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, more });
    });
    this.#send({ id, ...asked });
    return { id, answer };
  }

  #send(question: Question): void {
    this.#child.send(question);
  }

  #hear(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    switch (answer.kind) {
      case 'more':
        pending?.more();
        return;
      case 'done':
        pending?.resolve(answer.output);
        break;
      case 'failed':
        pending?.reject(new RemoteFailure(answer.code, answer.message));
        break;
      default:
    }
    this.#pending.delete(answer.id);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- to be read as a stream is
async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (!Buffer.isBuffer(chunk)) throw new TypeError('A source yields Buffers.');
  return chunk;
}
