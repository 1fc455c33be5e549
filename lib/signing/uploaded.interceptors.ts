import {
  Inject,
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { concatMap, defer, finalize, map, type Observable } from 'rxjs';
import { ConfigurationError } from '../contract/index.js';
import { entityTagOf } from '../download/entity-tag.js';
import { platformRequestOf } from '../platform/node-request.js';
import { waitFor } from '../upload/callback.js';
import { UPLOAD_DEFAULTS, type PendingUpload, type StoredUpload, type UploadDefaults } from '../upload/index.js';
import { DEFAULT_CALLBACK_TIMEOUT_MS } from '../upload/resolve-upload-options.js';
import type { ServeRoute, SignedUploadHook } from './serve-options.js';
import { signedRequestOf } from './signed-routes.js';

/** Injects what of the options is known before any factory has run. */
export const SERVE_ROUTE = 'nestjs-storages:serve-route';

type Uploaded = StoredUpload | PendingUpload;

/** Tells the application's hook of an upload before it is answered. Inside the upload's interceptor, so that what it throws undoes the upload. */
@Injectable()
export class UploadedHookInterceptor implements NestInterceptor, OnModuleInit {
  #hook: SignedUploadHook | undefined;

  constructor(
    @Inject(SERVE_ROUTE) private readonly route: ServeRoute,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Optional() @Inject(UPLOAD_DEFAULTS) private readonly defaults?: UploadDefaults,
  ) {}

  /** @throws ConfigurationError where the hook is no provider, or has no `onUploaded` */
  onModuleInit(): void {
    const { onUploaded } = this.route;
    if (onUploaded === undefined) return;
    const named = typeof onUploaded === 'function' ? onUploaded.name : String(onUploaded);
    let hook: Partial<SignedUploadHook> | undefined;
    try {
      hook = this.moduleRef.get<SignedUploadHook>(onUploaded, { strict: false });
    } catch (error) {
      throw new ConfigurationError(`serve.onUploaded: there is no provider ${named}, or it is not a singleton.`, {
        cause: error,
      });
    }
    if (typeof hook.onUploaded !== 'function') {
      throw new ConfigurationError(`serve.onUploaded: the provider ${named} has no method onUploaded().`);
    }
    this.#hook = hook as SignedUploadHook;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const hook = this.#hook;
    if (hook === undefined) return next.handle();
    const { file } = context.switchToHttp().getRequest<{ readonly file: Uploaded }>();
    const ended = new AbortController();
    const patience = { option: 'serve.onUploaded', file, milliseconds: this.#milliseconds, signal: ended.signal };
    return defer(async () => waitFor(hook.onUploaded(file, context), patience)).pipe(
      concatMap(() => next.handle()),
      // also when nobody waits for it any more
      finalize(() => {
        ended.abort(new Error('The request has ended.'));
      }),
    );
  }

  /** As long as the other functions of the application's uploads. */
  get #milliseconds(): number {
    const said = this.defaults?.callbackTimeout;
    return typeof said === 'number' ? said : DEFAULT_CALLBACK_TIMEOUT_MS;
  }
}

/** Answers an upload. Around the upload's interceptor: under `afterHandler` the etag is known only when that has committed. */
@Injectable()
export class UploadedAnswerInterceptor implements NestInterceptor {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((upload: StoredUpload) => this.#answer(context, upload)));
  }

  #answer(context: ExecutionContext, { key, size, contentType, etag, lastModified }: StoredUpload): object {
    const { httpAdapter } = this.adapterHost;
    const response = context.switchToHttp().getResponse<object>();
    const { request } = platformRequestOf(context);
    // RFC 9110, section 9.3.4: a PUT that creates says so. One that may have replaced does not know.
    const created = request.method === 'POST' || signedRequestOf(request).createOnly === true;
    httpAdapter.status(response, created ? 201 : 200);
    httpAdapter.setHeader(response, 'ETag', entityTagOf(etag));
    return { key, size, contentType, etag, lastModified };
  }
}
