import { AsyncResource } from 'node:async_hooks';
import { LiveList } from '../../contract/base/live-list.js';
import { answerTo } from '../errors/index.js';
import { stageFile, type NamedFile, type ReceivedFile, type Staging } from '../file/stage-file.js';
import type { IncomingBytes } from '../file/incoming-bytes.js';
import type { RequestContext } from '../upload-context.js';
import type { FileRule } from '../upload-rules.js';
import type { UploadUnit } from '../upload-unit.js';

/** How many files of a request are staged at once: while one is made safe on the disk, the next ones arrive. */
const MAX_AT_ONCE = 16;

/** The files of one request on their way into the storages, several at once, in memory that does not grow with their number. */
export class FilesInFlight {
  readonly #unit: UploadUnit;
  readonly #context: RequestContext;
  readonly #onSettled: () => void;
  readonly #files: (ReceivedFile | undefined)[] = [];
  readonly #open = new LiveList<IncomingBytes>();
  /** Of those, the ones that are being staged, and what lets the others begin. */
  #staging = 0;
  #waiting: (() => void)[] = [];
  #failed = false;
  #whenAll: (() => void) | undefined;
  /** The application's functions run in the context of the handler, not in that of the socket's events. */
  readonly #scope = new AsyncResource('StorageUpload');

  /** @param onSettled called after each file that was staged or left out: there may be room again */
  constructor(unit: UploadUnit, context: RequestContext, onSettled: () => void) {
    this.#unit = unit;
    this.#context = context;
    this.#onSettled = onSettled;
  }

  /** Whether the client should wait. */
  get full(): boolean {
    if (this.#open.size > MAX_AT_ONCE) return true;
    return this.#open.some((bytes) => bytes.full);
  }

  /** The files that were staged, in the order in which they came. */
  get received(): readonly ReceivedFile[] {
    return this.#files.filter((file) => file !== undefined);
  }

  /** Begins to take a file; its bytes come while it is taken. Failures are told once. */
  take(
    named: NamedFile,
    bytes: IncomingBytes,
    rule: FileRule,
    onLeftOut: () => void,
    onFailed: (error: unknown) => void,
  ): void {
    const order = this.#files.push(undefined) - 1;
    this.#open.add(bytes);
    const to: Staging = { rule, unit: this.#unit, context: this.#context, order };
    void this.#scope.runInAsyncScope(() => this.#take(named, bytes, to, onLeftOut, onFailed));
  }

  async #take(
    named: NamedFile,
    bytes: IncomingBytes,
    to: Staging,
    onLeftOut: () => void,
    onFailed: (error: unknown) => void,
  ): Promise<void> {
    // one chunk may begin hundreds of small files, before anybody asks whether the client should wait: they wait here
    if (this.#staging > MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#staging++;
    try {
      const file = await stageFile(named, bytes, to);
      this.#files[to.order] = file;
      if (file === undefined) onLeftOut();
    } catch (error) {
      // the others have been told why; this one says what became of it
      if (!this.#failed) onFailed(answerTo(error, { field: named.fieldname, originalname: named.originalname }));
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#staging--;
    else next();
    this.#open.delete(bytes);
    if (this.#open.size === 0 && this.#whenAll !== undefined) this.#scope.runInAsyncScope(this.#whenAll);
    this.#onSettled();
  }

  /** Calls back once, as soon as no file is on its way any more. */
  whenAll(callback: () => void): void {
    if (this.#open.size === 0) this.#scope.runInAsyncScope(callback);
    else this.#whenAll = callback;
  }

  /** Ends every file that is on its way. */
  fail(reason: Error): void {
    this.#failed = true;
    this.#waiting = [];
    for (const bytes of this.#open.all()) bytes.fail(reason);
  }
}
