import { ApiSchema } from '@nestjs/swagger';
import type { StorageErrorCode } from '../contract/index.js';
import { STORAGE_ERROR_STATUS } from '../module/storage-error-status.js';
import type { UploadErrorCode } from '../upload/index.js';
import { describeProperties } from './describe-properties.js';
import { UPLOAD_ERROR_CODES } from './upload-error-status.js';

/** What a refused or failed upload is answered with: the body of an `UploadException`. */
@ApiSchema({ name: 'UploadError' })
export class UploadErrorDto {
  declare readonly statusCode: number;
  declare readonly message: string;
  declare readonly error: string;
  declare readonly code: UploadErrorCode;
  declare readonly field?: string;
}

/** What a storage's error is answered with by the `StorageExceptionFilter`. */
@ApiSchema({ name: 'StorageError' })
export class StorageErrorDto {
  declare readonly statusCode: number;
  declare readonly message: string;
  declare readonly error: string;
  declare readonly code: StorageErrorCode;
}

const STATUS = {
  statusCode: { type: 'integer', description: 'The status of the answer.' },
  error: { type: String, description: 'The name of the status.' },
} as const;

describeProperties(UploadErrorDto, {
  ...STATUS,
  message: { type: String, description: 'Names the field and the limit.' },
  code: { type: String, enum: UPLOAD_ERROR_CODES, description: 'What was wrong; stable.' },
  field: { type: String, required: false, description: 'The field to blame, where it is one.' },
});
describeProperties(StorageErrorDto, {
  ...STATUS,
  message: { type: String },
  code: { type: String, enum: Object.keys(STORAGE_ERROR_STATUS), description: 'What was wrong; stable.' },
});
