import type { Checksum, TransferProgress } from '../contract/index.js';
import type { AllowedTypes } from './file/allowed-types.js';
import type { IncomingFile } from './stored-upload.js';
import type { UploadContext } from './upload-context.js';
import type { CommitMoment, UploadFileOptions, UploadLimits } from './upload-options.js';
import type { UploadStorage } from './upload-storage.js';

/** Limits without gaps. */
export type ResolvedLimits = { readonly [K in keyof UploadLimits]-?: number };

export interface ChecksumRule {
  readonly algorithm: keyof Checksum;
  readonly header?: string | undefined;
  readonly field?: string | ((file: IncomingFile) => string) | undefined;
  /** Lower-case hex, where it is known beforehand. */
  readonly expected?: string | undefined;
  readonly required: boolean;
}

/** What holds for the files of one field in one request: every function of the request has been asked. */
export interface FileRule
  extends UploadStorage, Pick<UploadFileOptions, 'key' | 'metadata' | 'filter' | 'transform' | 'scan'> {
  /** Most files under this field. */
  readonly maxCount: number;
  readonly fileSize: number;
  readonly minFileSize: number;
  readonly overwrite: boolean;
  readonly required: boolean;
  /** Undefined: any type. */
  readonly allowedTypes: AllowedTypes | undefined;
  readonly checksum: ChecksumRule | undefined;
  /** The media type that is stored, whatever the bytes are. Undefined: the one that is found in them. */
  readonly contentType?: string | undefined;
  readonly callbackTimeout: number;
}

/** What holds for one request. */
export interface UploadRules {
  readonly limits: ResolvedLimits;
  /** By the field's name. */
  readonly files: ReadonlyMap<string, FileRule>;
  /** What holds for the files of every other field; undefined where there must be none. */
  readonly otherFiles: FileRule | undefined;
  readonly commit: CommitMoment;
  readonly idleTimeout: number;
  /** An async function passes for one that gives nothing. */
  readonly onProgress: ((progress: TransferProgress, context: UploadContext) => unknown) | undefined;
}

/** The fields that a form takes, for messages: `a file in "avatar"`. */
export function describeFields({ files, otherFiles }: Pick<UploadRules, 'files' | 'otherFiles'>): string {
  if (otherFiles !== undefined) return 'files in any field';
  return `a file in ${[...files.keys()].map((field) => JSON.stringify(field)).join(', ')}`;
}
