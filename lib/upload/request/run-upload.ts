import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { catchError, defer, finalize, mergeMap, tap, throwError, toArray, type Observable } from 'rxjs';
import type { StoredFile } from '../../contract/index.js';
import { answerTo, notMultipart, UploadException } from '../errors/index.js';
import { boundaryOf, kindOfRequest } from '../multipart/content-type.js';
import { createFormBody } from '../multipart/form-body.js';
import type { PendingUpload, StoredUpload } from '../stored-upload.js';
import type { CommitMoment } from '../upload-options.js';
import { describeFields, type FormRules } from '../upload-rules.js';
import { UploadUnit } from '../upload-unit.js';
import { FormReceiver, type ReceivedFile } from './form-receiver.js';
import { abandonRequest, settleRequest } from './settle-request.js';

const logger = new Logger('StorageUpload');

/** How long an answer waits for what a failed upload leaves to be removed, in milliseconds. Removing goes on after it. */
const ROLLBACK_MS = 5000;

/** One upload, as an interceptor asks for it. */
export interface UploadRun {
  readonly rules: FormRules;
  readonly commit: CommitMoment;
  readonly context: ExecutionContext;
  readonly next: CallHandler;
  /** Puts the files where the handler's decorators look for them. */
  readonly deliver: (uploads: readonly (StoredUpload | PendingUpload)[]) => void;
}

/** A file on its way to the handler; its etag and date come with the commit. */
type Upload = PendingUpload & { etag?: StoredFile['etag']; lastModified?: StoredFile['lastModified'] };

/**
 * Runs a request as one unit: receives the form, commits, runs pipes and handler, and keeps the files if all of it has succeeded. A failure
 * anywhere, and an unsubscription (the client of an Observable handler has gone, a timeout interceptor has answered), leaves nothing.
 *
 * All of it hangs on the subscription, so that no step runs for an answer that nobody waits for.
 */
export function runUpload(run: UploadRun): Observable<unknown> {
  const { rules, context, next } = run;
  const http = context.switchToHttp();
  const request = http.getRequest<IncomingMessage>();
  const response = http.getResponse<ServerResponse>();

  const contentType = request.headers['content-type'];
  const kind = kindOfRequest(contentType);
  if (contentType === undefined || kind !== 'form') {
    const required = [...rules.files.values()].some((rule) => rule.required);
    if (!required && kind !== 'other-multipart') return next.handle();
    return defer(() => settleRequest(request, response)).pipe(
      mergeMap(() => throwError(() => notMultipart(describeFields(rules)))),
    );
  }

  return defer(() => {
    const unit = new UploadUnit();
    const uploads: Upload[] = [];
    let files: readonly ReceivedFile[] = [];

    const receive = async (): Promise<void> => {
      const body = createFormBody();
      const boundary = boundaryOf(contentType);
      Object.assign(request, { body });
      files = await new FormReceiver({ request, response, context, boundary, rules, unit, body }).receive();
      if (run.commit === 'beforeHandler') await unit.commit();
      uploads.push(...files.map(uploadOf));
      run.deliver(uploads);
    };
    const commitLate = async (): Promise<void> => {
      await unit.commit();
      files.forEach(({ unitFile: { stored } }, index) => {
        const upload = uploads[index];
        if (upload !== undefined && stored !== undefined) {
          upload.etag = stored.etag;
          upload.lastModified = stored.lastModified;
        }
      });
    };

    let settled = false;
    /** The handler has succeeded as far as it gave a value. */
    let answered = false;
    let handled = defer(receive).pipe(
      catchError(refuse),
      mergeMap(() => next.handle() as Observable<unknown>),
    );
    if (run.commit === 'afterHandler') {
      // what the handler gives is held back, so that nobody sees it before the files are there
      handled = handled.pipe(
        toArray(),
        mergeMap((values) =>
          defer(commitLate).pipe(
            catchError(refuse),
            mergeMap(() => values),
          ),
        ),
      );
    }
    return handled.pipe(
      tap({
        next: () => {
          answered = true;
        },
        complete: () => {
          settled = true;
          unit.keep();
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
        if (answered) {
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
    // Nest logs only what is no HttpException, and the client is told nothing of the cause
    logger.error(answer.message, error instanceof Error ? error.stack : error);
  }
  return throwError(() => answer);
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

function uploadOf({ incoming, rule, unitFile: { staged, stored } }: ReceivedFile): Upload {
  const { key, size, contentType, metadata } = stored ?? staged;
  const { fieldname, originalname, encoding, mimetype } = incoming;
  return {
    fieldname,
    originalname,
    encoding,
    mimetype,
    storage: rule.storageName,
    key,
    size,
    contentType,
    metadata,
    ...(stored === undefined ? undefined : { etag: stored.etag, lastModified: stored.lastModified }),
  };
}
