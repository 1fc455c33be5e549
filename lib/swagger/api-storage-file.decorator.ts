import { applyDecorators, type Type } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiExtraModels } from '@nestjs/swagger';
import { checkUploadOptions } from '../upload/resolve-upload-options.js';
import type { UploadOptions } from '../upload/index.js';
import { checkCount, checkFieldName, checkFields } from '../upload/taken-field.js';
import { checksumHeader, checksumTexts } from './checksum-description.js';
import { describeField, encodingOf, formSchema, type DescribedField } from './file-schema.js';
import { SuccessResponse, type ResponseModel } from './success-response.decorator.js';
import type { UploadErrorStatus } from './upload-error-status.js';
import { ApiUploadErrors, statusesOf } from './upload-errors.decorator.js';

/** What is said of a whole form. */
export interface ApiStorageFileFieldsOptions {
  /**
   * The options of the interceptor: the same object. Types, sizes, `required` and checksums are described as they stand there; what is a function of the
   * request is not known here and left out.
   */
  readonly upload?: UploadOptions | undefined;
  /** The class of the text fields (`@Body()`), described by `@ApiProperty()`. */
  readonly body?: Type | undefined;
  /** The class of the JSON that the handler answers with (`StoredUploadDto`, or one of yours), in an array where it answers with several. */
  readonly response?: ResponseModel | undefined;
  /** Which refusals are described. Default: those that these options can have; `[]` describes none. */
  readonly errors?: readonly UploadErrorStatus[] | undefined;
}

export interface ApiStorageFileOptions extends ApiStorageFileFieldsOptions {
  /** The field of the form. Default `file`. */
  readonly name?: string | undefined;
  /** Default: as `upload` says, else false. */
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
}

export interface ApiStorageFilesOptions extends ApiStorageFileOptions {
  /** The field of the form. Default `files`. */
  readonly name?: string | undefined;
  /** Most files. Default: no limit. */
  readonly maxCount?: number | undefined;
}

/** One field of a form with several. */
export interface ApiStorageFileField {
  readonly name: string;
  /** Most files: 1 is one file, any other number an array. Default: no limit. */
  readonly maxCount?: number | undefined;
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
}

/**
 * Describes a route with `StorageFileInterceptor`: a form with one file, its text fields, and every refusal.
 *
 * @throws ConfigurationError at the decorator, for a name or an option that cannot be meant
 * @example
 * @Post()
 * @ApiStorageFile({ name: 'avatar', upload: AVATAR, body: CaptionDto, response: StoredUploadDto })
 * @UseInterceptors(StorageFileInterceptor('avatar', AVATAR))
 */
export function ApiStorageFile(options: ApiStorageFileOptions = {}): MethodDecorator {
  const { name = 'file', upload } = options;
  checkFieldName('@ApiStorageFile()', name);
  return form([describeField(name, options, upload)], options);
}

/**
 * Describes a route with `StorageFilesInterceptor`: a form with several files in one field.
 *
 * @example
 * @ApiStorageFiles({ name: 'photos', maxCount: 10, response: [StoredUploadDto] })
 */
export function ApiStorageFiles(options: ApiStorageFilesOptions = {}): MethodDecorator {
  const { name = 'files', upload } = options;
  checkFieldName('@ApiStorageFiles()', name);
  const maxCount = checkCount('@ApiStorageFiles()', options.maxCount);
  return form([describeField(name, { ...options, maxCount }, upload)], options);
}

/**
 * Describes a route with `StorageFileFieldsInterceptor`: a form with files in several fields.
 *
 * @example
 * @ApiStorageFileFields([{ name: 'portrait', maxCount: 1 }, { name: 'documents', required: true }], { upload: APPLICATION })
 */
export function ApiStorageFileFields(
  fields: readonly ApiStorageFileField[],
  options: ApiStorageFileFieldsOptions = {},
): MethodDecorator {
  checkFields('@ApiStorageFileFields()', fields);
  const described = fields.map((field) => {
    const maxCount = field.maxCount === 1 ? undefined : (field.maxCount ?? Infinity);
    return describeField(field.name, { ...field, maxCount }, options.upload);
  });
  return form(described, options);
}

function form(
  fields: readonly DescribedField[],
  { upload, body, response, errors }: ApiStorageFileFieldsOptions,
): MethodDecorator {
  if (upload !== undefined) checkUploadOptions('upload of the decorator', upload);
  const encoding = encodingOf(fields);
  return applyDecorators(
    ApiConsumes('multipart/form-data'),
    ...(body === undefined ? [] : [ApiExtraModels(body)]),
    ApiBody({
      schema: formSchema(fields, checksumTexts(upload), body),
      required: fields.some(({ required }) => required) || body !== undefined,
      ...(Object.keys(encoding).length === 0 ? undefined : { encoding }),
    }),
    ...checksumHeader(upload),
    SuccessResponse(response),
    ApiUploadErrors(errors ?? statusesOf(upload), { piped: body !== undefined }),
  );
}
