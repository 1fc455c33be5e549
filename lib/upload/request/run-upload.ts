import { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { Logger, StreamableFile, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { catchError, defer, finalize, mergeMap, tap, throwError, toArray, type Observable } from 'rxjs';
import { ConfigurationError, type StoredFile } from '../../contract/index.js';
import { answerTo, UploadException } from '../errors/index.js';
import type { ReceivedFile } from '../file/stage-file.js';
import { answersItself } from '../platform/answering-handler.js';
import { platformRequestOf } from '../platform/node-request.js';
import type { PendingUpload, StoredUpload } from '../stored-upload.js';
import type { UploadRules } from '../upload-rules.js';
import { UploadUnit } from '../upload-unit.js';
import type { ReceiveUpload } from './receive-upload.js';
import { abandonRequest, settleRequest } from './settle-request.js';

const logger = new Logger('StorageUpload');

/** How long an answer waits for what a failed upload leaves to be removed, in milliseconds. Removing goes on after it. */
const ROLLBACK_MS = 5000;

/** One upload, as an interceptor asks for it. */
export interface UploadRun {
  readonly rulesFor: (context: ExecutionContext) => UploadRules | Promise<UploadRules>;
  readonly receive: ReceiveUpload;
  readonly context: ExecutionContext;
  readonly next: CallHandler;
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
  const { context, next } = run;
  return defer(() => {
    const { carrier, request, response } = platformRequestOf(context);
    const unit = new UploadUnit();
    const uploads: Upload[] = [];
    let files: readonly ReceivedFile[] = [];
    let committedLate = false;

    const receive = async (): Promise<void> => {
      const rules = await run.rulesFor(context);
      if (rules.commit === 'afterHandler' && answersItself(context)) throw answersTooEarly(context);
      committedLate = rules.commit === 'afterHandler';
      const received = await run.receive(context, rules, unit);
      files = received ?? [];
      if (!committedLate) await unit.commit('beforeHandler');
      uploads.push(...files.map(uploadOf));
      run.deliver(carrier, received === undefined ? undefined : uploads);
    };
    const commitLate = async (): Promise<void> => {
      await unit.commit('afterHandler');
      files.forEach(({ unitFile: { stored } }, index) => {
        const upload = uploads[index];
        if (upload !== undefined && stored !== undefined) tellStored(upload, stored);
      });
    };
    // what the handler gives is held back, so that nobody sees it before the files are there
    const handleFirst = (): Observable<unknown> =>
      (next.handle() as Observable<unknown>).pipe(
        toArray(),
        mergeMap((values) =>
          defer(commitLate).pipe(
            catchError(refuse),
            mergeMap(() => values),
          ),
        ),
      );

    let settled = false;
    /** What the handler gave last. */
    let answer: { readonly value: unknown } | undefined;
    return defer(receive).pipe(
      catchError(refuse),
      mergeMap(() => (committedLate ? handleFirst() : (next.handle() as Observable<unknown>))),
      tap({
        next: (value) => {
          answer = { value };
        },
        complete: () => {
          settled = true;
          keepUnlessBroken(answer?.value, response, unit);
        },
      }),
      catchError((error: unknown) =>
        defer(async () => {
          settled = true;
          await Promise.all([within(ROLLBACK_MS, unit.rollBack(error)), settleRequest(request, response)]);
        }).pipe(mergeMap(() => throwError(() => error))),
      ),
      finalize(() => {
        if (settled) return;
        if (answer !== undefined) {
          settleByAnswer(response, unit);
          return;
        }
        // unsubscribed: somebody else answers now, or the client is gone
        void unit.rollBack(new Error('The request was cancelled.'));
        abandonRequest(request, response);
      }),
    );
  });
}

/**
 * The handler has succeeded, but for an answer that is still on its way: a stream that breaks, or a status of failure, be it the handler's own
 * or that of an interceptor around it which fails later, takes the files along. A client that goes away meanwhile does not: the application
 * has done its work.
 */
function keepUnlessBroken(answer: unknown, response: ServerResponse, unit: UploadUnit): void {
  const failed = (reason: unknown): void => {
    void unit.rollBack(reason);
  };
  const stream = answer instanceof StreamableFile ? answer.getStream() : answer;
  if (stream instanceof Readable && stream.errored !== null) {
    failed(stream.errored);
  } else if (stream instanceof Readable && !stream.closed) {
    stream.once('error', failed).once('close', () => {
      unit.keep();
    });
  } else if (!response.closed) {
    response.once('close', () => {
      const { writableFinished, statusCode } = response;
      if (writableFinished && statusCode >= 400) failed(new Error(`The request was answered ${statusCode}.`));
      else unit.keep();
    });
  } else {
    unit.keep();
  }
}

/**
 * Somebody outside took the handler's value and no more, not even its end: an interceptor with `first()`, or one that failed at the value.
 * What it then answers tells which: only a success that has been sent keeps the files.
 */
function settleByAnswer(response: ServerResponse, unit: UploadUnit): void {
  const settle = (): void => {
    if (response.writableFinished && response.statusCode < 400) unit.keep();
    else void unit.rollBack(new Error('The request failed or was cancelled after its handler.'));
  };
  if (response.closed) settle();
  else response.once('close', settle);
}

/** What the client is told when the upload fails. What the handler throws is its own answer, also where it is a storage's error. */
function refuse(error: unknown): Observable<never> {
  const answer = answerTo(error);
  if (answer instanceof UploadException && answer.getStatus() >= 500) {
    // Nest logs only what is no HttpException, and the client is told nothing of the cause; a stack alone would not tell of it either
    logger.error(answer.message, inspect(error));
  }
  return throwError(() => answer);
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
      logger.warn(`Removing a failed upload takes longer than ${milliseconds / 1000} s; it goes on after the answer.`);
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
