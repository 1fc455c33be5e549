import { isDeepStrictEqual } from 'node:util';
import {
  attributesOf,
  encodeKey,
  FileNotFoundError,
  freezeStoredFile,
  StorageError,
  UnsupportedOperationError,
  type ResolvedCopyOptions,
  type StoredFile,
} from '../../contract/index.js';
import { abortErrorOf } from '../../contract/base/abort.js';
import type { Bucket } from './bucket.js';
import { headObject, withSize } from './head-object.js';
import { MultipartUpload } from './multipart-upload.js';
import { etagOf, wholeSeconds } from './object-attributes.js';
import { partSizeOf } from './part-sizes.js';
import { failureOf, isAnswerLost } from './s3-errors.js';

/** The largest object that one CopyObject takes. */
const MOST_AT_ONCE = 5 * 1024 ** 3;
/** Bytes of a part that the server copies: larger than one that is sent, since nobody waits for its bytes. */
const COPIED_PART = 512 * 1024 * 1024;
/** How often a copy begins anew because its source changed meanwhile. */
const ATTEMPTS = 4;

export interface CopyPlan {
  /** Bytes above which parts are copied. */
  readonly atOnce?: number;
  readonly partSize?: number;
}

/** Copies an object with its attributes, on the server. */
export async function copyObject(
  bucket: Bucket,
  source: string,
  destination: string,
  { signal }: ResolvedCopyOptions,
  { atOnce = MOST_AT_ONCE, partSize = COPIED_PART }: CopyPlan = {},
): Promise<StoredFile> {
  let refused: string | undefined;
  for (let attempt = 1; ; attempt++) {
    const file = await sourceOf(bucket, source, signal);
    // Swift compares the version of an object of parts with another etag than it tells
    const asks = file.etag !== refused;
    if (signal?.aborted === true) signal.throwIfAborted();
    try {
      if (file.size > atOnce) {
        return await copyByParts(bucket, file, destination, { partSize, asks, ...(signal && { signal }) });
      }
      const copied = await copyAtOnce(bucket, file, destination, asks);
      if (copied !== undefined) return copied;
    } catch (error) {
      const copied = isAnswerLost(error) ? await findCopy(bucket, file, destination) : undefined;
      if (copied !== undefined) return copied;
      const { status } = failureOf(error);
      if (status === 404) throw new FileNotFoundError(source, { cause: error });
      if (status !== 412) throw error;
      refused = file.etag;
    }
    if (attempt === ATTEMPTS) {
      throw new StorageError('The source of the copy changes faster than it can be copied.', {
        key: source,
        retryable: true,
      });
    }
  }
}

/** Copies by parts, and lets the server decide at their end that there is no object yet. */
export function copyIfNew(
  bucket: Bucket,
  file: StoredFile,
  destination: string,
  signal: AbortSignal | undefined,
): Promise<StoredFile> {
  const plan = { partSize: COPIED_PART, asks: true, ifNoneMatch: '*', ...(signal && { signal }) } as const;
  return copyByParts(bucket, file, destination, plan);
}

export async function sourceOf(bucket: Bucket, source: string, signal: AbortSignal | undefined): Promise<StoredFile> {
  const found = await headObject(bucket, source, signal);
  if (found === undefined) throw new FileNotFoundError(source);
  return withSize(found);
}

/** @returns undefined where the destination is gone again, so that nobody can tell what was copied */
async function copyAtOnce(
  bucket: Bucket,
  file: StoredFile,
  destination: string,
  asks: boolean,
): Promise<StoredFile | undefined> {
  const { Tagging: _, ...object } = bucket.settings.object;
  const answer = await bucket.send(
    new bucket.sdk.CopyObjectCommand({
      ...bucket.target,
      ...object,
      Key: bucket.name(destination),
      CopySource: copySource(bucket, file.key),
      ...(asks ? { CopySourceIfMatch: `"${file.etag}"` } : undefined),
      MetadataDirective: 'COPY',
    }),
  );
  const { ETag, LastModified } = answer.CopyObjectResult ?? {};
  if (etagOf(ETag) !== file.etag || LastModified === undefined) {
    // another version than was asked for, on servers that ignore the condition, or an object of parts that has become one piece
    const found = await headObject(bucket, destination);
    return found && withSize(found);
  }
  return freezeStoredFile({
    ...attributesOf(file),
    key: destination,
    size: file.size,
    etag: file.etag,
    lastModified: wholeSeconds(LastModified),
  });
}

/** The copy, if it was made although no answer said so: what is there is what was to be copied. */
async function findCopy(bucket: Bucket, file: StoredFile, destination: string): Promise<StoredFile | undefined> {
  const found = await headObject(bucket, destination).catch(() => undefined);
  if (found === undefined) return undefined;
  const isEqual =
    found.file.size === file.size &&
    found.file.etag === file.etag &&
    isDeepStrictEqual(attributesOf(found.file), attributesOf(file));
  return isEqual ? found.file : undefined;
}

interface PartsPlan extends ResolvedCopyOptions {
  /** Larger where 10,000 parts would not do. */
  readonly partSize: number;
  /** Whether each part is asked for as one of the version that was found. Else the source is looked at once more before the end. */
  readonly asks: boolean;
}

async function copyByParts(
  bucket: Bucket,
  file: StoredFile,
  destination: string,
  { partSize: smallest, asks, signal, ...conditions }: PartsPlan,
): Promise<StoredFile> {
  const partSize = partSizeOf(1, smallest, file.size);
  if (file.size === 0) throw new UnsupportedOperationError('An object without bytes has no part that could be copied.');
  const upload = await MultipartUpload.begin(bucket, destination, file);
  try {
    const numbers = Array.from({ length: Math.ceil(file.size / partSize) }, (_, number) => number).values();
    const source = { name: copySource(bucket, file.key), ...(asks && { etag: file.etag }) };
    // one that fails, or a call that is aborted, keeps the others from going on with parts that nobody wants
    let isGivenUp = false;
    const worker = async (): Promise<void> => {
      for (const number of numbers) {
        if (isGivenUp) return;
        if (signal?.aborted === true) throw abortErrorOf(signal);
        const first = number * partSize;
        await upload.copy(number + 1, source, first, Math.min(partSize, file.size - first)).catch((error: unknown) => {
          isGivenUp = true;
          throw error;
        });
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: bucket.settings.concurrency }, worker));
    for (const result of workers) if (result.status === 'rejected') throw result.reason;
    if (signal?.aborted === true) throw abortErrorOf(signal);
    if (!asks && (await sourceOf(bucket, file.key, signal)).etag !== file.etag) {
      throw new StorageError('The source was replaced while it was copied.', { key: file.key, retryable: true });
    }
    return await upload.complete(conditions);
  } catch (error) {
    await upload.abort().catch(() => undefined);
    throw error;
  }
}

function copySource(bucket: Bucket, key: string): string {
  return `${bucket.settings.bucket}/${encodeKey(bucket.name(key))}`;
}
