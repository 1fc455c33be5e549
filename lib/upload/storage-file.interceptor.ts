import {
  Inject,
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ConfigurationError, type Storage } from '../contract/index.js';
import { StorageRegistry } from '../registry/index.js';
import { runUpload, type UploadRun } from './request/run-upload.js';
import { checkUploadOptions, resolveUploadOptions } from './resolve-upload-options.js';
import { DependsOnStorage, resolveStorage } from './upload-storage.js';
import { UPLOAD_DEFAULTS, type UploadDefaults } from './upload-defaults.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams the file of one form field into a storage, and gives the handler a {@link StoredUpload}.
 *
 * It is used as Nest's `FileInterceptor` is: `@UploadedFile()` gives the file, `@Body()` the text fields, and pipes such as
 * `ParseFilePipe` work. The bytes go from the socket to the storage as fast as it takes them: no temporary file, no whole file in
 * memory. The request is a unit: the file becomes visible only when all of the form has arrived and was found good, and nothing
 * of it stays when a pipe refuses, the handler fails or the client goes away (see {@link UploadOptions.commit}).
 *
 * A request that is no form reaches the handler without a file, unless `required` is set; one with another `multipart/` type is
 * answered 415. Failures are answered with multer's codes: see {@link UploadException}.
 *
 * Node ends a request that takes longer than `server.requestTimeout`, 300 seconds unless set otherwise, with a 408. Where large files
 * come over slow lines, raise it: `app.getHttpServer().requestTimeout = 60 * 60 * 1000`.
 *
 * @param field the name of the form's file field
 * @example
 * @Post()
 * @UseInterceptors(StorageFileInterceptor('avatar', { storage: 'avatars', limits: { fileSize: 5 * 1024 * 1024 } }))
 * upload(@UploadedFile() avatar: StoredUpload, @Body() body: { caption?: string }) {
 *   return { key: avatar.key, size: avatar.size, caption: body.caption };
 * }
 */
export function StorageFileInterceptor(field: string, options: UploadOptions = {}): Type<NestInterceptor> {
  const name = `StorageFileInterceptor(${JSON.stringify(field)})`;
  // now, at the decorator that says it, rather than at the start
  checkUploadOptions(`options of ${name}`, options);

  @Injectable()
  class FileInterceptor implements NestInterceptor, OnModuleInit {
    #run: Pick<UploadRun, 'rules' | 'commit'> | undefined;

    constructor(
      // by its name it must be there; the default one need not, where the application's defaults name another
      @DependsOnStorage(options.storage) private readonly storage: Storage | undefined,
      @Optional() @Inject(StorageRegistry) private readonly registry?: StorageRegistry,
      @Optional() @Inject(UPLOAD_DEFAULTS) private readonly defaults?: UploadDefaults,
    ) {}

    /** At the start, so that a wrong option does not wait for the first upload. */
    onModuleInit(): void {
      this.#run ??= this.#resolve();
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      // an interceptor that nobody has initialized (made by hand, in a test) resolves here
      this.#run ??= this.#resolve();
      return runUpload({
        ...this.#run,
        context,
        next,
        deliver: ([file]) => {
          if (file !== undefined) Object.assign(context.switchToHttp().getRequest<object>(), { file });
        },
      });
    }

    #resolve(): Pick<UploadRun, 'rules' | 'commit'> {
      const { limits, commit, ...rule } = resolveUploadOptions(options, this.defaults);
      const target = resolveStorage(this.storage, this.registry, options, rule.storage);
      if (rule.key !== undefined && !rule.overwrite && !target.storage.capabilities.createOnly) {
        throw new ConfigurationError(
          `${name} makes keys of its own without overwrite, and the storage "${target.storageName}" cannot create ` +
            'without replacing (capabilities.createOnly is false). Set overwrite: true, leave key out, or choose another storage.',
        );
      }
      return { commit, rules: { limits, files: new Map([[field, { ...rule, ...target, maxCount: 1 }]]) } };
    }
  }
  // Nest shows it where an injection fails
  Object.defineProperty(FileInterceptor, 'name', { value: name });
  return FileInterceptor;
}
