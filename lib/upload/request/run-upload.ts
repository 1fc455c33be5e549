import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CallHandler, type ExecutionContext } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';
import { ConfigurationError, type StoredFile } from '../../contract/index.js';
import { StorageLogger } from '../../logging/index.js';
import type { RequestDrain } from '../../shutdown/request-drain.js';
import { answerTo, requestAborted, UploadException } from '../errors/index.js';
import type { ReceivedFile } from '../file/stage-file.js';
import { answersItself } from '../platform/answering-handler.js';
import { isClosed } from '../../platform/message-state.js';
import { platformRequestOf } from '../../platform/node-request.js';
import { onceGone } from '../../platform/once-gone.js';
import type { PendingUpload, StoredUpload } from '../stored-upload.js';
import { RequestContext } from '../upload-context.js';
import type { UploadRules } from '../upload-rules.js';
import { UploadUnit } from '../upload-unit.js';
import type { ReceiveUpload } from './receive-upload.js';
import { keepUnlessBroken, settleByAnswer } from './settle-files.js';
import { abandonRequest, settleRequest } from './settle-request.js';
import { shuttingDown } from './shutting-down.js';

const logger = new StorageLogger('StorageUpload');

/** How long an answer waits for what a failed upload leaves to be removed, in milliseconds. Removing goes on after it. */
const ROLLBACK_MS = 5000;

/** One upload, as an interceptor asks for it. */
export interface UploadRun {
  readonly rulesFor: (context: RequestContext) => UploadRules | Promise<UploadRules>;
  readonly receive: ReceiveUpload;
  readonly context: ExecutionContext;
  readonly next: CallHandler;
  /** What the application's end waits for. There is none without the module. */
  readonly drain: RequestDrain | undefined;
  /** Puts the files where the handler's decorators look for them; `undefined` where the request was none for files. */
  readonly deliver: (carrier: object, uploads: readonly (StoredUpload | PendingUpload)[] | undefined) => void;
}

/** A file on its way to the handler; its etag and date come with the commit. */
type Upload = Omit<PendingUpload, 'checksum'> & {
  -readonly [Field in 'etag' | 'lastModified' | 'checksum']?: NonNullable<StoredUpload[Field]>;
};

/**
 * Runs a request as one unit: receives its files, commits, runs pipes and handler, and keeps the files if all of it has succeeded. A failure
 * anywhere, and an unsubscription (the client of an Observable handler has gone, a timeout interceptor has answered), leaves nothing.
 *
 * All of it hangs on the subscription, so that no step runs for an answer that nobody waits for.
 */
export function runUpload(run: UploadRun): Observable<unknown> {
  return new Observable((subscriber) => {
    const upload = new RunningUpload(run, subscriber);
    upload.start();
    return () => {
      upload.cancel();
      upload.leave();
    };
  });
}

/** One request. By hand rather than by operators: a chain of ten of them costs more than the parsing of a small form. */
class RunningUpload {
  readonly #run: UploadRun;
  readonly #subscriber: Subscriber<unknown>;
  readonly #carrier: object;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #unit = new UploadUnit();
  readonly #uploads: Upload[] = [];
  #files: readonly ReceivedFile[] = [];
  /** Whether it is decided what becomes of the files. */
  #settled = false;
  /** Whether the application's end has found it with an answer, and a handler that was still at work. */
  #answered = false;
  #leave: (() => void) | undefined;
  /** What the handler gave last. */
  #answer: { readonly value: unknown } | undefined;

  constructor(run: UploadRun, subscriber: Subscriber<unknown>) {
    const { carrier, request, response } = platformRequestOf(run.context);
    this.#run = run;
    this.#subscriber = subscriber;
    this.#carrier = carrier;
    this.#request = request;
    this.#response = response;
  }

  start(): void {
    const { drain } = this.#run;
    if (drain?.isClosing === true) {
      this.#refuse(shuttingDown(this.#response, drain));
      return;
    }
    this.#leave = drain?.enter(this.#response, () => {
      this.#breakOff(drain);
    });
    this.#receive().then(
      (committedLate) => {
        if (committedLate) this.#handleFirst();
        else this.#handle();
      },
      (error: unknown) => {
        this.#refuse(error);
      },
    );
  }

  /** The application ends. What has had its answer already is decided by that, whatever its handler still does. */
  #breakOff(drain: RequestDrain): void {
    if (this.#isOver) return;
    if (!this.#response.headersSent) {
      this.#refuse(shuttingDown(this.#response, drain));
      return;
    }
    this.#settled = true;
    this.#answered = true;
    settleByAnswer(this.#response, this.#unit);
    this.leave();
  }

  /** Nobody waits for it any more, or it is decided already: what still comes, of a handler that goes on by itself, say, changes nothing. */
  get #isOver(): boolean {
    return this.#settled || this.#subscriber.closed;
  }

  /** @returns whether the files are to be committed after the handler */
  async #receive(): Promise<boolean> {
    const { context, rulesFor, receive, deliver } = this.#run;
    const requestContext = new RequestContext(context, this.#unit);
    const rules = await whileConnected(rulesFor(requestContext), this.#response);
    const committedLate = rules.commit === 'afterHandler';
    if (committedLate && answersItself(context)) throw answersTooEarly(context);
    const received = await receive(requestContext, rules, this.#unit);
    this.#files = received ?? [];
    if (!committedLate) await this.#unit.commit('beforeHandler');
    for (const file of this.#files) this.#uploads.push(uploadOf(file));
    deliver(this.#carrier, received === undefined ? undefined : this.#uploads);
    return committedLate;
  }

  #handle(): void {
    this.#callHandler(
      (value) => {
        this.#pass(value);
      },
      () => {
        this.#succeed();
      },
    );
  }

  /** What the handler gives is held back, so that nobody sees it before the files are there. */
  #handleFirst(): void {
    const values: unknown[] = [];
    this.#callHandler(
      (value) => {
        values.push(value);
      },
      () => {
        this.#commitLate().then(
          () => {
            for (const value of values) this.#pass(value);
            this.#succeed();
          },
          (error: unknown) => {
            this.#refuse(error);
          },
        );
      },
    );
  }

  #callHandler(next: (value: unknown) => void, complete: () => void): void {
    // nobody waits for it any more
    if (this.#isOver) return;
    const error = (thrown: unknown): void => {
      this.#fail(thrown);
    };
    try {
      this.#subscriber.add(this.#run.next.handle().subscribe({ next, error, complete }));
    } catch (thrown) {
      error(thrown);
    }
  }

  async #commitLate(): Promise<void> {
    await this.#unit.commit('afterHandler');
    this.#files.forEach(({ unitFile: { stored } }, index) => {
      const upload = this.#uploads[index];
      if (upload !== undefined && stored !== undefined) tellStored(upload, stored);
    });
  }

  #pass(value: unknown): void {
    // whoever took one value may have wanted no more
    if (this.#isOver) return;
    this.#answer = { value };
    this.#subscriber.next(value);
  }

  #succeed(): void {
    if (this.#isOver) {
      if (this.#answered) this.#subscriber.complete();
      return;
    }
    try {
      keepUnlessBroken(this.#answer?.value, this.#response, this.#unit);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#settled = true;
    this.#subscriber.complete();
  }

  /** What the client is told when the upload fails. What the handler throws is its own answer, also where it is a storage's error. */
  #refuse(error: unknown): void {
    if (this.#isOver) return;
    let answer: unknown;
    try {
      const failed = this.#unit.fileOf(error);
      const file = failed && this.#files.find(({ unitFile }) => unitFile === failed)?.incoming;
      answer = answerTo(error, file && { field: file.fieldname, originalname: file.originalname });
      if (answer instanceof UploadException && answer.getStatus() >= 500 && answer.code !== 'SHUTTING_DOWN') {
        // Nest logs only what is no HttpException, and the client is told nothing of the cause; a stack alone would not tell of it either
        logger.error('An upload has failed.', { failure: error });
      }
    } catch (failure) {
      // a cause that cannot be shown, or a logger of the application that throws: what was uploaded has to go all the same
      answer = failure;
    }
    this.#fail(answer);
  }

  #fail(error: unknown): void {
    if (this.#isOver) {
      if (this.#answered) this.#subscriber.error(error);
      return;
    }
    this.#settled = true;
    const settled = Promise.all([
      within(ROLLBACK_MS, this.#unit.rollBack(error)),
      settleRequest(this.#request, this.#response, this.#run.drain?.isClosing),
    ]);
    settled.then(
      () => {
        this.#subscriber.error(error);
      },
      (failure: unknown) => {
        this.#subscriber.error(failure);
      },
    );
  }

  /** The subscription is over: the upload has ended, somebody else answers now, or the client is gone. */
  cancel(): void {
    if (this.#settled) return;
    if (this.#answer !== undefined) {
      settleByAnswer(this.#response, this.#unit);
      return;
    }
    void this.#unit.rollBack(new Error('The request was cancelled.'));
    abandonRequest(this.#request, this.#response);
  }

  /** The upload is under way until its answer is out and nothing of it is being removed any more. */
  leave(): void {
    const left = this.#leave;
    if (left === undefined) return;
    const end = (): void => {
      void this.#unit.whenEnded().then(left, left);
    };
    this.#leave = undefined;
    onceGone(this.#response, end);
  }
}

/** Waits for work, and no longer than the client does. */
async function whileConnected<T>(work: T | Promise<T>, response: ServerResponse): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let onClose: () => void = () => undefined;
  const gone = new Promise<never>((_resolve, reject) => {
    onClose = () => {
      reject(requestAborted());
    };
    response.once('close', onClose);
    if (isClosed(response)) onClose();
  });
  try {
    return await Promise.race([work, gone]);
  } finally {
    response.off('close', onClose);
  }
}

function answersTooEarly(context: ExecutionContext): ConfigurationError {
  return new ConfigurationError(
    `${context.getClass().name}.${context.getHandler().name} sends its answer itself, by @Res() or @Next(), and its files are committed ` +
      "after it (commit: 'afterHandler', the default with overwrite): it would tell of files that are not there. Return the answer, use " +
      "@Res({ passthrough: true }), or set commit: 'beforeHandler'.",
  );
}

/** Waits for work that goes on by itself, but not for ever: a storage that never settles must not keep the client waiting. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      logger.warn('Removing a failed upload takes long; it goes on after the answer.', {
        fields: { seconds: milliseconds / 1000 },
      });
      resolve();
    }, milliseconds);
    // as long as a client waits, its connection keeps the process running
    timer.unref();
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function uploadOf({ incoming, rule, unitFile: { staged, stored }, digest }: ReceivedFile): Upload {
  const { key, size, contentType, metadata } = stored ?? staged;
  const { fieldname, originalname, encoding, mimetype } = incoming;
  const storage = rule.storageName;
  const upload: Upload = { fieldname, originalname, encoding, mimetype, storage, key, size, contentType, metadata };
  const checksum = digest?.checksum;
  if (checksum !== undefined) upload.checksum = checksum;
  if (stored !== undefined) tellStored(upload, stored);
  return upload;
}

function tellStored(upload: Upload, { etag, lastModified }: StoredFile): void {
  upload.etag = etag;
  upload.lastModified = lastModified;
}
