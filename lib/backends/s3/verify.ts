import { StorageError } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { errorOf } from './s3-errors.js';

/**
 * Asks for a listing of one object: unlike HEAD its answer says what is wrong.
 *
 * @throws StorageError whose message is one sentence on what to change
 */
export async function verifyBucket(bucket: Bucket): Promise<void> {
  const { bucket: name, prefix } = bucket.settings;
  try {
    await bucket.send(new bucket.sdk.ListObjectsV2Command({ ...bucket.target, Prefix: prefix, MaxKeys: 1 }));
  } catch (error) {
    throw errorOf(error, name, undefined) ?? new StorageError(`The bucket ${name} cannot be used.`, { cause: error });
  }
}
