import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { ConnectionError, type StoredFile } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { fromAnswer } from './object-attributes.js';
import { failureOf } from './s3-errors.js';

export interface FoundObject {
  readonly file: StoredFile;
  readonly answer: HeadObjectCommandOutput;
}

/** @returns undefined where there is no object */
export async function headObject(bucket: Bucket, key: string, signal?: AbortSignal): Promise<FoundObject | undefined> {
  try {
    const input = { ...bucket.target, Key: bucket.name(key) };
    const answer = await bucket.send(new bucket.sdk.HeadObjectCommand(input), { signal });
    const { ContentLength } = answer;
    // a length that nobody knows is not 0: a proxy that packs what passes leaves it out
    if (ContentLength === undefined)
      throw new ConnectionError('The server does not say how long the object is.', { key });
    return { file: fromAnswer(key, answer, ContentLength), answer };
  } catch (error) {
    if (failureOf(error).status !== 404) throw error;
    await bucket.expectThere();
    return undefined;
  }
}
