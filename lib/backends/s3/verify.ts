import { ConfigurationError, StorageError } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { errorOf } from './s3-errors.js';

/** Milliseconds by which a signature may be off. */
const CLOCKS = 15 * 60 * 1000;

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
  // the SDK has sent it again with another date, which nobody else would do
  const { clockOffset } = bucket;
  if (Math.abs(clockOffset) >= CLOCKS) {
    const by = `${Math.round(Math.abs(clockOffset) / 60_000)} minutes ${clockOffset > 0 ? 'behind' : 'ahead of'}`;
    throw new ConfigurationError(`The clock of this machine is ${by} the server's: set it.`);
  }
}
