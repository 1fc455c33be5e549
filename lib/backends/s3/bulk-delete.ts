import { createHash } from 'node:crypto';
import { StorageError, type DeleteOutcome } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { errorOf } from './s3-errors.js';

/** What one request takes at most. */
const KEYS = 1000;
/** Requests in flight. */
const AT_ONCE = 4;
/** Of the characters that a key may have, those that XML has no form for (XML 1.0, section 2.2): with one in it a list is refused as a whole. */
const NOT_IN_XML = /[\uFFFE\uFFFF]/;

/** Deletes by requests of 1,000 keys, and a key that no list can hold by itself. A request that fails as a whole fails each of its keys. */
export async function deleteObjects(
  bucket: Bucket,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<DeleteOutcome> {
  const failures = new Map<string, unknown>();
  const isAlone = (key: string): boolean => NOT_IN_XML.test(bucket.name(key));
  const listed = keys.filter((key) => !isAlone(key));
  const batches = keys.filter(isAlone).map((key) => [key]);
  for (let at = 0; at < listed.length; at += KEYS) batches.push(listed.slice(at, at + KEYS));
  const queue = batches.values();
  const worker = async (): Promise<void> => {
    for (const batch of queue) {
      signal?.throwIfAborted();
      try {
        const [first = ''] = batch;
        if (isAlone(first)) await deleteOne(bucket, first, signal);
        else await deleteBatch(bucket, batch, failures, signal);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        for (const key of batch) failures.set(key, error);
      }
    }
  };
  const workers = Array.from({ length: Math.min(AT_ONCE, batches.length) }, worker);
  // all of them, so that no request goes on after the call has settled
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason;
  return {
    deleted: keys.filter((key) => !failures.has(key)),
    failed: Array.from(failures, ([key, error]) => ({ key, error })),
  };
}

/** A missing key counts as deleted, as it does in a list. */
async function deleteOne(bucket: Bucket, key: string, signal: AbortSignal | undefined): Promise<void> {
  const command = new bucket.sdk.DeleteObjectCommand({ ...bucket.target, Key: bucket.name(key) });
  await bucket.send(command, { signal });
}

async function deleteBatch(
  bucket: Bucket,
  keys: readonly string[],
  failures: Map<string, unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const Objects = keys.map((key) => ({ Key: bucket.name(key) }));
  const command = new bucket.sdk.DeleteObjectsCommand({ ...bucket.target, Delete: { Quiet: true, Objects } });
  addContentMd5(command);
  const { Errors = [] } = await bucket.send(command, { signal });
  for (const { Key = '', Code = 'Unknown', Message } of Errors) {
    const key = Key.slice(bucket.settings.prefix.length);
    // a missing key counts as deleted
    if (Code !== 'NoSuchKey') failures.set(key, errorOfEntry(bucket, key, Code, Message));
  }
}

/** The codes of one key's failure have no status of their own. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['AccessDenied', 403],
  ['InternalError', 500],
  ['SlowDown', 503],
  ['ServiceUnavailable', 503],
]);

function errorOfEntry(bucket: Bucket, key: string, code: string, message: string | undefined): StorageError {
  const cause = Object.assign(new Error(message ?? code), {
    name: code,
    $metadata: { httpStatusCode: STATUSES.get(code) ?? 400 },
  });
  return (
    errorOf(cause, bucket.settings.bucket, key) ?? new StorageError('The file could not be deleted.', { key, cause })
  );
}

/** S3's first checksum of this request, and on some servers (Swift) the only one. The SDK's own is sent beside it. */
function addContentMd5(command: {
  readonly middlewareStack: { add(middleware: unknown, options: object): void };
}): void {
  command.middlewareStack.add(
    (next: (args: unknown) => unknown) =>
      (args: {
        readonly request: { readonly headers: Record<string, string>; readonly body: string | Uint8Array };
      }) => {
        const { headers, body } = args.request;
        headers['content-md5'] = createHash('md5').update(body).digest('base64');
        return next(args);
      },
    { step: 'build', name: 'contentMd5' },
  );
}
