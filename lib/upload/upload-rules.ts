import type { UploadStorage } from './upload-storage.js';
import type { UploadLimits, UploadOptions } from './upload-options.js';

/** Limits without gaps. */
export type ResolvedLimits = { readonly [K in keyof UploadLimits]-?: number };

/** What holds for the files of one field. */
export interface FileRule extends UploadStorage, Pick<UploadOptions, 'key' | 'metadata'> {
  /** Most files under this field. */
  readonly maxCount: number;
  readonly overwrite: boolean;
  readonly required: boolean;
}

/** What holds for one form. */
export interface FormRules {
  readonly limits: ResolvedLimits;
  /** By the field's name. */
  readonly files: ReadonlyMap<string, FileRule>;
}

/** The fields that a form takes, for messages: `a file in "avatar"`. */
export function describeFields(rules: FormRules): string {
  return `a file in ${[...rules.files.keys()].map((field) => JSON.stringify(field)).join(', ')}`;
}
