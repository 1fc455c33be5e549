import { InvalidArgumentError, type Storage } from '../contract/index.js';
import { headerValue, resolveContentType } from '../contract/options/resolve-attributes.js';
import { answerTo } from './answer.js';
import { checkStorage, DownloadAnswer, type Answer, type Asked } from './download-answer.js';
import { refuseUnknown } from './option-names.js';
import type { StoredFileOptions } from './stored-file-options.js';

const OPTIONS: Readonly<Record<keyof StoredFileOptions, true>> = {
  disposition: true,
  inlineTypes: true,
  filename: true,
  contentDisposition: true,
  contentType: true,
  cacheControl: true,
  redirect: true,
};

/** A stored file as a handler's return value; see {@link storedFile}. */
export class StoredFileAnswer extends DownloadAnswer {
  constructor(
    readonly storage: Storage,
    readonly key: string,
    readonly storedFileOptions: StoredFileOptions,
  ) {
    super('storedFile()');
  }

  /** @internal */
  override answerTo(asked: Asked): Promise<Answer> {
    return answerTo(asked, { storage: this.storage, key: this.key, options: this.storedFileOptions });
  }
}

/**
 * Answers with a stored file: 200, 206, 304, 404, 412 or 416, with every header that belongs to it, on Express and on Fastify, to GET and
 * to HEAD (RFC 9110, sections 13 and 14). Headers and bytes are of one version, also while the key is overwritten. When the client goes away
 * the storage is let go; when the storage fails in the middle the connection is cut, so that no client takes a part for the whole.
 *
 * A stranger's file is never run in the name of the application: see {@link StoredFileOptions.disposition}.
 *
 * @param key checked when the answer is made; a missing file is a `FileNotFoundError` (404)
 * @throws ConfigurationError, InvalidArgumentError at once for what is no storage or option
 * @example
 * @Get(':key')
 * download(@Param('key') key: string) {
 *   return storedFile(this.files, key, { disposition: 'attachment' });
 * }
 */
export function storedFile(storage: Storage, key: string, options: StoredFileOptions = {}): StoredFileAnswer {
  checkStorage('storedFile()', storage);
  checkStoredFileOptions(options);
  return new StoredFileAnswer(storage, key, options);
}

/** @throws InvalidArgumentError that names the option: a header that cannot be sent must not be found when the file is open */
export function checkStoredFileOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('The options must be an object.');
  refuseUnknown(options, OPTIONS);
  const { disposition, inlineTypes, filename, contentDisposition, contentType, cacheControl, redirect } =
    options as Record<string, unknown>;
  if (disposition !== undefined && disposition !== 'inline' && disposition !== 'attachment') {
    throw new InvalidArgumentError("disposition must be 'inline' or 'attachment'.");
  }
  if (
    inlineTypes !== undefined &&
    !(Array.isArray(inlineTypes) && inlineTypes.every((type) => typeof type === 'string'))
  ) {
    throw new InvalidArgumentError("inlineTypes must be an array of media types, such as ['application/pdf'].");
  }
  if (filename !== undefined && typeof filename !== 'string')
    throw new InvalidArgumentError('filename must be a string.');
  resolveContentType(contentType);
  headerValue('contentDisposition', contentDisposition);
  headerValue('cacheControl', cacheControl);
  const { expiresIn } = (redirect ?? {}) as { readonly expiresIn?: unknown };
  if (redirect !== undefined && redirect !== 'signed' && !(Number.isSafeInteger(expiresIn) && Number(expiresIn) > 0)) {
    throw new InvalidArgumentError("redirect must be 'signed' or { expiresIn } in seconds.");
  }
}
