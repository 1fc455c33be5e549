import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Observable } from 'rxjs';
import type { Storage } from '../contract/index.js';
import { StorageRegistry } from '../registry/index.js';
import { RequestDrain } from '../shutdown/request-drain.js';
import { removeWhatIsLeft } from './failed-removals.js';
import { passBodiesOn, wantBodies, type UnreadBodies } from './platform/fastify-parsers.js';
import type { ReceiveUpload } from './request/receive-upload.js';
import { runUpload, type UploadRun } from './request/run-upload.js';
import { checkUploadOptions } from './resolve-upload-options.js';
import { UPLOAD_DEFAULTS, type UploadDefaults } from './upload-defaults.js';
import type { UploadOptions } from './upload-options.js';
import { UploadPlan, type TakenFields } from './upload-plan.js';
import type { UploadRules } from './upload-rules.js';
import {
  dependOnStorages,
  InjectDefaultStorage,
  propertyOf,
  storageFinder,
  storagesNamedIn,
} from './upload-storage.js';

/** What one kind of interceptor is made of. */
export interface UploadInterceptorKind {
  /** As it is written in the application's code: `StorageFileInterceptor("avatar")`. Messages name it. */
  readonly name: string;
  readonly fields: TakenFields;
  readonly receive: ReceiveUpload;
  readonly deliver: UploadRun['deliver'];
  /** What Fastify has to leave unread. */
  readonly bodies: UnreadBodies;
  /** What of the application's defaults holds here. Default: all of it. */
  readonly defaultsOf?: (defaults: UploadDefaults) => UploadDefaults;
  /** Bounds of one request that no option has, over what the options say. */
  readonly bind?: (rules: UploadRules, context: ExecutionContext) => UploadRules;
}

/** Makes the class of an interceptor, as Nest's own `FileInterceptor` and its fellows do. */
export function createUploadInterceptor(kind: UploadInterceptorKind, options: UploadOptions): Type<NestInterceptor> {
  const { name, fields, receive, deliver, bodies, defaultsOf, bind } = kind;
  // now, at the decorator that says it, rather than at the start
  checkUploadOptions(`options of ${name}`, options);
  const names = storagesNamedIn(options);
  wantBodies(bodies);

  @Injectable()
  class UploadInterceptor
    implements NestInterceptor, OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
  {
    #plan: UploadPlan | undefined;

    constructor(
      // a storage that options name must be there; the default one need not, where the application's defaults name another
      @InjectDefaultStorage() private readonly byDefault: Storage | undefined,
      @Optional() @Inject(StorageRegistry) private readonly registry?: StorageRegistry,
      @Optional() @Inject(UPLOAD_DEFAULTS) private readonly defaults?: UploadDefaults,
      @Optional() @Inject(HttpAdapterHost) private readonly adapterHost?: HttpAdapterHost,
      @Optional() @Inject(RequestDrain) private readonly drain?: RequestDrain,
    ) {}

    /** At the start, so that a wrong option does not wait for the first upload. */
    onModuleInit(): void {
      this.#plan ??= this.#makePlan();
    }

    onApplicationBootstrap(): void {
      passBodiesOn(this.adapterHost, bodies);
    }

    /**
     * The module with the routes is the first that Nest ends, and waits here for its uploads: what their handlers use is in the modules behind it,
     * and still there.
     */
    async onModuleDestroy(): Promise<void> {
      await this.drain?.drain();
    }

    /** While the storages are still open. */
    beforeApplicationShutdown(): Promise<void> {
      return removeWhatIsLeft();
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      // of an interceptor that is bound for the whole application
      if (context.getType() !== 'http') return next.handle();
      // an interceptor that nobody has initialized (made by hand, in a test) resolves here
      const plan = (this.#plan ??= this.#makePlan());
      const rulesFor: UploadRun['rulesFor'] =
        bind === undefined ? (each) => plan.rulesFor(each) : async (each) => bind(await plan.rulesFor(each), each.nest);
      return runUpload({ rulesFor, receive, context, next, deliver, drain: this.drain });
    }

    #makePlan(): UploadPlan {
      const injected = new Map<string, Storage>();
      for (const each of names) {
        const storage = (this as unknown as Readonly<Record<string, Storage | undefined>>)[propertyOf(each)];
        if (storage !== undefined) injected.set(each, storage);
      }
      const storageOf = storageFinder(injected, this.byDefault, this.registry);
      const defaults = this.defaults ?? {};
      return new UploadPlan({ name, fields, bodies, options, defaults: defaultsOf?.(defaults) ?? defaults, storageOf });
    }
  }
  dependOnStorages(UploadInterceptor.prototype, names);
  // Nest shows it where an injection fails
  Object.defineProperty(UploadInterceptor, 'name', { value: name });
  return UploadInterceptor;
}
