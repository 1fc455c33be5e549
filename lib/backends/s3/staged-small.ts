import { QuotaExceededError, type ResolvedPutOptions, type StagedBytes } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import type { Share } from './buffer-budget.js';
import { MultipartUpload } from './multipart-upload.js';
import { putObject } from './put-object.js';
import type { SlicedBody } from './sliced-body.js';

/** Bodies that lie in memory of their own: their slices may be small pieces of large buffers, which would stay with them. */
const COPIED = 64 * 1024;

/**
 * Stages a body that fits one part: it waits in memory and is one request at the commit. Where too much waits already, it becomes an upload of one
 * part instead, so that a request with many files never waits for itself.
 */
export async function stageSmall(
  bucket: Bucket,
  key: string,
  taken: { readonly body: SlicedBody; readonly share: Share },
  options: ResolvedPutOptions,
  canBecomeParts: boolean,
): Promise<StagedBytes> {
  const { share } = taken;
  // the signal was the call's that staged
  const { signal: _, bytes, ...attributes } = options;
  const { size } = taken.body;
  // bytes that were in memory already were not counted, since they were the caller's
  if (bytes !== undefined) share.add(size);
  try {
    if (share.keep()) {
      const body = size <= COPIED || bytes !== undefined ? taken.body.copy() : taken.body;
      return {
        size,
        commit: async () => {
          const file = await putObject(bucket, key, body, attributes);
          body.release();
          share.end();
          return file;
        },
        abort: () => {
          body.release();
          share.end();
          return Promise.resolve();
        },
      };
    }
    if (!canBecomeParts) {
      throw new QuotaExceededError(
        'Too many staged files wait in memory for their commit, and with a condition this one cannot wait at the server (maxBufferedBytes).',
      );
    }
    const upload = await MultipartUpload.begin(bucket, key, attributes);
    try {
      await upload.put(1, taken.body);
    } catch (error) {
      await upload.abort().catch(() => undefined);
      throw error;
    }
    taken.body.release();
    share.end();
    return { size, commit: () => upload.complete(attributes), abort: () => upload.abort() };
  } catch (error) {
    share.end();
    throw error;
  }
}
