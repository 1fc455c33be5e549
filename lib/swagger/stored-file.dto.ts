import { ApiSchema } from '@nestjs/swagger';
import type { Checksum, StoredFile } from '../contract/index.js';
import type { PendingUpload, StoredUpload } from '../upload/index.js';
import { describeProperties, type DescribedProperties } from './describe-properties.js';

/**
 * A {@link StoredFile} as a handler answers with it: `info()`, `put()` and `list()` give them.
 *
 * @example
 * @ApiOkResponse({ type: [StoredFileDto] })
 */
@ApiSchema({ name: 'StoredFile' })
export class StoredFileDto implements StoredFile {
  declare readonly key: string;
  declare readonly size: number;
  declare readonly contentType: string;
  declare readonly etag: string;
  declare readonly lastModified: Date;
  declare readonly metadata: Readonly<Record<string, string>>;
  declare readonly cacheControl?: string;
  declare readonly contentDisposition?: string;
  declare readonly contentEncoding?: string;
}

/** In lower-case hex. */
@ApiSchema({ name: 'Checksum' })
class ChecksumDto {
  declare readonly sha256?: string;
  declare readonly md5?: string;
  declare readonly crc32?: string;
}

/** An upload that is not committed yet (`commit: 'afterHandler'`), as a handler answers with it: no etag and no date. */
@ApiSchema({ name: 'PendingUpload' })
export class PendingUploadDto implements PendingUpload {
  declare readonly key: string;
  declare readonly size: number;
  declare readonly contentType: string;
  declare readonly metadata: Readonly<Record<string, string>>;
  declare readonly cacheControl?: string;
  declare readonly contentDisposition?: string;
  declare readonly contentEncoding?: string;
  declare readonly fieldname: string;
  declare readonly originalname: string;
  declare readonly encoding: string;
  declare readonly mimetype: string;
  declare readonly storage: string;
  declare readonly checksum?: Checksum;
}

/**
 * An upload as a handler answers with it that returns what `@UploadedFile()` gave.
 *
 * @example
 * @ApiStorageFile({ response: StoredUploadDto })
 */
@ApiSchema({ name: 'StoredUpload' })
export class StoredUploadDto extends PendingUploadDto implements StoredUpload {
  declare readonly etag: string;
  declare readonly lastModified: Date;
}

const ATTRIBUTES = {
  contentType: { type: String, description: 'Media type (RFC 9110, section 8.3.1).', example: 'image/png' },
  metadata: { type: 'object', additionalProperties: { type: 'string' }, example: { owner: 'ada' } },
  cacheControl: { type: String, required: false, description: 'Cache-Control to serve the file with.' },
  contentDisposition: { type: String, required: false, description: 'Content-Disposition to serve the file with.' },
  contentEncoding: { type: String, required: false, description: 'Content-Encoding of the stored bytes.' },
} as const;

const FILE = {
  key: { type: String, description: 'The key of the file in its storage.', example: 'avatars/ada.png' },
  size: { type: 'integer', format: 'int64', minimum: 0, description: 'Bytes.', example: 48_211 },
  ...ATTRIBUTES,
} as const;

const VERSION = {
  etag: { type: String, description: 'Opaque; another one for every version of the file.' },
  lastModified: { type: String, format: 'date-time' },
} as const;

const CHECKSUM = {
  sha256: { type: String, required: false, pattern: '^[0-9a-f]{64}$' },
  md5: { type: String, required: false, pattern: '^[0-9a-f]{32}$' },
  crc32: { type: String, required: false, pattern: '^[0-9a-f]{8}$' },
} as const;

const UPLOAD = {
  ...FILE,
  fieldname: { type: String, description: 'The field of the form; body for a raw body.', example: 'file' },
  originalname: { type: String, description: "The client's name for the file.", example: 'ada.png' },
  encoding: { type: String, description: 'Content-Transfer-Encoding of the part.', example: '7bit' },
  mimetype: { type: String, description: 'The media type that the client claims.', example: 'image/png' },
  storage: { type: String, description: 'The name of the storage that has the file.', example: 'uploads' },
  checksum: { type: () => ChecksumDto, required: false, description: 'Of the bytes as they were sent.' },
} as const;

describeProperties(ChecksumDto, CHECKSUM satisfies DescribedProperties<Checksum>);
describeProperties(StoredFileDto, { ...FILE, ...VERSION } satisfies DescribedProperties<StoredFile>);
describeProperties(PendingUploadDto, UPLOAD satisfies DescribedProperties<PendingUpload>);
describeProperties(StoredUploadDto, { ...UPLOAD, ...VERSION } satisfies DescribedProperties<StoredUpload>);
