import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { StorageError, type StoredFile } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { fromAnswer } from './object-attributes.js';
import { failureOf } from './s3-errors.js';

export interface FoundObject {
  /** Its size is 0 where the server does not say it: see `withSize`. */
  readonly file: StoredFile;
  readonly answer: HeadObjectCommandOutput;
}

/** @returns undefined where there is no object */
export async function headObject(bucket: Bucket, key: string, signal?: AbortSignal): Promise<FoundObject | undefined> {
  try {
    const input = { ...bucket.target, Key: bucket.name(key) };
    const answer = await bucket.send(new bucket.sdk.HeadObjectCommand(input), { signal });
    return { file: fromAnswer(key, answer, answer.ContentLength ?? 0), answer };
  } catch (error) {
    if (failureOf(error).status !== 404) throw error;
    await bucket.expectThere();
    return undefined;
  }
}

/** @throws StorageError where nobody knows the length, which is not 0: a proxy that packs what passes leaves it out */
export function withSize({ file, answer }: FoundObject): StoredFile {
  if (answer.ContentLength !== undefined) return file;
  throw new StorageError('The server does not say how long the object is.', { key: file.key });
}
