import { Readable } from 'node:stream';
import { validateHeaderValue, type ServerResponse } from 'node:http';
import {
  Inject,
  Injectable,
  Optional,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { mergeMap, Observable } from 'rxjs';
import { AbortError } from '../contract/index.js';
import { StorageLogger } from '../logging/index.js';
import { cutOff, isClosed } from '../platform/message-state.js';
import { rawResponseOf } from '../platform/node-request.js';
import { onceGone } from '../platform/once-gone.js';
import { RequestDrain } from '../shutdown/request-drain.js';
import { DownloadAnswer, type Answer } from './download-answer.js';

/**
 * Makes an HTTP answer of what {@link storedFile} or {@link archive} returned. StorageModule binds it to the whole application; without the module it can be bound where it is
 * wanted, by `@UseInterceptors(StoredFileInterceptor)`.
 */
@Injectable()
export class StoredFileInterceptor implements NestInterceptor {
  readonly #logger = new StorageLogger(StoredFileInterceptor.name);
  readonly #adapterHost: HttpAdapterHost;

  // set by Nest, so that the class can be made by hand without it; not a parameter: the type is not public
  @Optional()
  @Inject(RequestDrain)
  private readonly drain?: RequestDrain;

  constructor(adapterHost: HttpAdapterHost) {
    this.#adapterHost = adapterHost;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handled = next.handle() as Observable<unknown>;
    if (context.getType() !== 'http') return handled;
    return handled.pipe(
      mergeMap((value) => (value instanceof DownloadAnswer ? this.#answerOf(value, context) : [value])),
    );
  }

  /** Nobody waits for it any more when it is unsubscribed: a timeout has answered, say. */
  #answerOf(file: DownloadAnswer, context: ExecutionContext): Observable<StreamableFile | undefined> {
    return new Observable((subscriber) => {
      const controller = new AbortController();
      let made = false;
      this.#answer(file, context, controller).then(
        (answer) => {
          made = true;
          if (subscriber.closed) answer?.getStream().destroy();
          subscriber.next(answer);
          subscriber.complete();
        },
        (error: unknown) => {
          made = true;
          subscriber.error(error);
        },
      );
      return () => {
        if (!made) controller.abort();
      };
    });
  }

  async #answer(
    file: DownloadAnswer,
    context: ExecutionContext,
    controller: AbortController,
  ): Promise<StreamableFile | undefined> {
    const carrier = context.switchToHttp().getResponse<{ readonly statusCode: number }>();
    const response = rawResponseOf(carrier);
    // what the application's end cuts must not look whole
    const left = this.drain?.enter(response, () => {
      cutOff(response);
    });
    const opened: { answer?: Answer } = {};
    // one listener for all of it
    onceGone(response, () => {
      left?.();
      // once there is a body it is closed itself, which is no failure
      if (opened.answer === undefined) controller.abort();
      else opened.answer.body?.destroy();
    });
    const asked = { request: response.req, status: carrier.statusCode, signal: controller.signal };
    opened.answer = await file.answerTo(asked);
    const { status, headers, body } = opened.answer;
    try {
      if (response.destroyed || isClosed(response)) throw new AbortError('The client has gone.');
      // all of them before the first one: an answer of failure must not have half of them
      for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value);
    } catch (error) {
      body?.destroy();
      throw error;
    }
    if (status !== undefined) this.#adapterHost.httpAdapter.status(carrier, status);
    for (const [name, value] of Object.entries(headers)) setHeader(carrier, response, name, value);
    // a body of no bytes keeps the Content-Length of an answer to HEAD, which Fastify sets to 0 where there is no body
    if (body === undefined) {
      return response.req.method === 'HEAD' && status === undefined ? new StreamableFile(Readable.from([])) : undefined;
    }
    // before the platform hears of it: what it does then may look like an end
    body.once('error', (error: Error) => {
      file.breakOff(error);
      if (response.headersSent) cutOff(response);
    });
    return new StreamableFile(body).setErrorHandler((error) => {
      this.#logger.error('A download broke off.', { failure: error });
      // an answer that ends in order looks whole
      cutOff(response);
    });
  }
}

/** Not by the adapter: Express would add a charset that nobody knows to be true. */
function setHeader(carrier: object, response: ServerResponse, name: string, value: string): void {
  if (carrier === response) response.setHeader(name, value);
  else (carrier as FastifyLike).header(name, value);
}

interface FastifyLike {
  header(name: string, value: string): unknown;
}
