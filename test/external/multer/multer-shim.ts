import 'reflect-metadata';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { NestInterceptor, Type } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  AnyStorageFilesInterceptor,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type PendingUpload,
  type StorageFileField,
  type UploadLimits,
  type UploadOptions,
} from 'nestjs-storages';
import { defer, lastValueFrom } from 'rxjs';
import { receiveForm } from '../../../lib/upload/request/receive-upload.js';
import { createUploadInterceptor } from '../../../lib/upload/upload-interceptor.js';
import {
  asked,
  DiskEngine,
  MemoryEngine,
  type Answer,
  type Engine,
  type MulterFile,
  type OpenEngine,
} from './engines.js';
import { MulterError, multerErrorOf } from './multer-error.js';

// multer's API over the library's interceptors, for multer's own tests. What has no counterpart (preservePath, defParamCharset) is not looked at.

interface MulterOptions {
  readonly storage?: unknown;
  readonly dest?: string;
  readonly limits?: UploadLimits;
  readonly fileFilter?: (request: IncomingMessage, file: MulterFile, answer: Answer<boolean>) => void;
}

type MulterRequest = IncomingMessage & { file?: object | undefined; files?: object | undefined };
type Middleware = (request: MulterRequest, response: ServerResponse | null, next: (error?: unknown) => void) => void;
type MakeInterceptor = (options: UploadOptions) => Type<NestInterceptor>;

class Multer {
  readonly #engine: Engine;
  readonly #options: MulterOptions;

  constructor(options: MulterOptions) {
    this.#options = options;
    this.#engine = engineOf(options);
  }

  single(name: string): Middleware {
    return this.#middleware((options) => StorageFileInterceptor(name, options));
  }

  array(name: string, maxCount?: number): Middleware {
    return this.#middleware((options) => StorageFilesInterceptor(name, maxCount, options));
  }

  fields(fields: readonly StorageFileField[]): Middleware {
    // multer's parser of forms without files; no public interceptor is one
    if (fields.length === 0) return this.none();
    return this.#middleware((options) => StorageFileFieldsInterceptor(fields, options));
  }

  any(): Middleware {
    return this.#middleware((options) => AnyStorageFilesInterceptor(options));
  }

  none(): Middleware {
    const kind = {
      name: 'none',
      fields: [],
      bodies: 'multipart',
      receive: receiveForm,
      deliver: () => undefined,
    } as const;
    return this.#middleware((options) => createUploadInterceptor(kind, options));
  }

  #middleware(makeInterceptor: MakeInterceptor): Middleware {
    return (request, response, next) => {
      // what the tests' own callbacks throw is no failure of the upload
      const tell = (error?: unknown): void => void setImmediate(next, error);
      this.#run(makeInterceptor, request, response ?? standInResponse()).then(
        () => {
          tell();
        },
        (error: unknown) => {
          tell(multerErrorOf(error));
        },
      );
    };
  }

  async #run(
    makeInterceptor: MakeInterceptor,
    request: MulterRequest,
    response: ServerResponse | object,
  ): Promise<void> {
    const { limits, fileFilter } = this.#options;
    const engine = await this.#engine.open(request);
    let failed = true;
    try {
      const filter = async (file: MulterFile): Promise<boolean> =>
        (await asked<boolean>((answer) => fileFilter?.(request, file, answer))) === true;
      const Interceptor = makeInterceptor({ ...engine.options, limits, ...(fileFilter && { filter }) });
      // some tests send streams that are no requests
      if (!('socket' in request)) Object.assign(request, { socket: new PassThrough() });
      const context = new ExecutionContextHost([request, response], Route, Route.prototype.upload);
      const handle = defer(() => describeFiles(request, engine));
      const answer = await new Interceptor(engine.storage).intercept(context, { handle: () => handle });
      await lastValueFrom(answer, { defaultValue: undefined });
      failed = false;
    } finally {
      await engine.close(failed);
    }
  }
}

class Route {
  upload(): void {
    // never called: the interceptors ask whose context they are in
  }
}

function engineOf({ storage, dest }: MulterOptions): Engine {
  if (storage === undefined) return dest === undefined ? new MemoryEngine() : new DiskEngine({ destination: dest });
  if (storage instanceof DiskEngine || storage instanceof MemoryEngine) {
    return { open: (request) => (isReplaced(storage) ? refuseEngine() : storage.open(request)) };
  }
  return { open: refuseEngine };
}

/** Some tests put functions of multer's StorageEngine into its own storages. */
function isReplaced(engine: object): boolean {
  return '_handleFile' in engine || '_removeFile' in engine;
}

function refuseEngine(): Promise<never> {
  return Promise.reject(new Error("The library has storages of its own, and none of multer's StorageEngine."));
}

/** For the tests that give no response. */
function standInResponse(): object {
  return Object.assign(new EventEmitter(), { headersSent: false, closed: false, setHeader: () => undefined });
}

/** Puts multer's files where the interceptor has put those of the library. */
async function describeFiles(request: MulterRequest, engine: OpenEngine): Promise<void> {
  const multerFile = async (upload: PendingUpload): Promise<object> => {
    const { fieldname, originalname, encoding, mimetype, size } = upload;
    return { fieldname, originalname, encoding, mimetype, size, ...(await engine.describe(upload)) };
  };
  const all = (uploads: unknown): Promise<object[]> =>
    Promise.all((Array.isArray(uploads) ? uploads : []).filter(isUpload).map(multerFile));
  const { file, files } = request;
  if (isUpload(file)) request.file = await multerFile(file);
  if (Array.isArray(files)) {
    request.files = await all(files);
  } else if (files !== undefined) {
    for (const [field, uploads] of Object.entries(files)) Object.assign(files, { [field]: await all(uploads) });
  }
}

function isUpload(value: unknown): value is PendingUpload {
  return typeof value === 'object' && value !== null && 'key' in value && 'originalname' in value;
}

function multer(options: unknown = {}): Multer {
  if (typeof options !== 'object' || options === null) throw new TypeError('Expected object for argument options');
  return new Multer(options);
}

/** The tests' `require('../')` finds it there. */
Object.assign(globalThis, {
  [Symbol.for('nestjs-storages.multer-shim')]: Object.assign(multer, {
    MulterError,
    memoryStorage: () => new MemoryEngine(),
    diskStorage: (options: ConstructorParameters<typeof DiskEngine>[0]) => new DiskEngine(options),
  }),
});
