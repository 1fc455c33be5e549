import {
  Inject,
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ConfigurationError, Storage } from '../contract/index.js';
import { getStorageToken } from '../registry/index.js';
import { runUpload } from './request/run-upload.js';
import { checkUploadOptions, resolveUploadOptions, type ResolvedUploadOptions } from './resolve-upload-options.js';
import { UPLOAD_DEFAULTS, type UploadDefaults } from './upload-defaults.js';
import type { UploadOptions } from './upload-options.js';
import type { FormRules } from './upload-rules.js';

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
  // now, at the decorator that says it, rather than at the start
  checkUploadOptions(`options of StorageFileInterceptor(${JSON.stringify(field)})`, options);

  @Injectable()
  class FileInterceptor implements NestInterceptor {
    readonly #rules: FormRules;
    readonly #options: ResolvedUploadOptions;

    constructor(
      @Inject(getStorageToken(options.storage)) storage: Storage,
      @Optional() @Inject(UPLOAD_DEFAULTS) defaults?: UploadDefaults,
    ) {
      const resolved = resolveUploadOptions(options, defaults);
      const { key, metadata, overwrite, required, limits } = resolved;
      const storageName = resolved.storage ?? nameOf(storage);
      if (key !== undefined && !overwrite && !storage.capabilities.createOnly) {
        throw new ConfigurationError(
          `StorageFileInterceptor(${JSON.stringify(field)}) makes keys of its own without overwrite, and the storage ` +
            `"${storageName}" cannot create without replacing (capabilities.createOnly is false). ` +
            'Set overwrite: true, leave key out, or choose another storage.',
        );
      }
      this.#options = resolved;
      this.#rules = {
        limits,
        files: new Map([[field, { storage, storageName, maxCount: 1, key, metadata, overwrite, required }]]),
      };
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return runUpload({
        rules: this.#rules,
        commit: this.#options.commit,
        context,
        next,
        deliver: (_body, [file]) => {
          if (file !== undefined) Object.assign(context.switchToHttp().getRequest<object>(), { file });
        },
      });
    }
  }
  // Nest shows it where an injection fails
  Object.defineProperty(FileInterceptor, 'name', { value: `StorageFileInterceptor(${JSON.stringify(field)})` });
  return FileInterceptor;
}

/** The name a storage is registered under; of one that is no BaseStorage, its class's. */
function nameOf(storage: Storage): string {
  const { name } = storage as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : storage.constructor.name;
}
