import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  attributesOf,
  FileExistsError,
  freezeStoredFile,
  PreconditionFailedError,
  type FileAttributes,
  type StoredFile,
} from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { headObject } from './head-object.js';
import { attributesOfAnswer, etagOf, hasRoomForToken, toRequest, tokenOf, wholeSeconds } from './object-attributes.js';
import type { Exchange } from './request-handler.js';
import { failureOf, isAnswerLost } from './s3-errors.js';
import type { SlicedBody } from './sliced-body.js';

/** What is asked of the version that is there. */
export interface WriteConditions {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
}

export interface PutInput extends WriteConditions, FileAttributes {
  readonly signal?: AbortSignal | undefined;
}

/** Amazon answers 409 to a conditional write that meets another one: it is to be sent again. */
const CONFLICTS = 5;

/** Puts an object in one request, whose answer may be lost without the put being so. */
export async function putObject(bucket: Bucket, key: string, body: SlicedBody, input: PutInput): Promise<StoredFile> {
  // without a mark, where the metadata has no room for it, nobody can tell whose the object is
  const isMarked = isConditional(input) && hasRoomForToken(input, bucket.isAmazon);
  const token = isMarked ? randomBytes(16).toString('hex') : undefined;
  const exchange: Exchange = {};
  try {
    const answer = await sendPut(bucket, key, body, input, { token, exchange });
    return freezeStoredFile({
      ...attributesOf(input),
      key,
      size: body.size,
      etag: etagOf(answer.ETag),
      lastModified: wholeSeconds(exchange.date ?? new Date()),
    });
  } catch (error) {
    const mayBeThere = isAnswerLost(error) || (failureOf(error).status === 412 && failureOf(error).attempts > 1);
    const ours = mayBeThere ? await findOurs(bucket, key, body, input, token) : undefined;
    if (ours !== undefined) return ours;
    throw refusalOf(error, key, input);
  }
}

export function isConditional({ ifNoneMatch, ifMatch }: WriteConditions): boolean {
  return ifNoneMatch !== undefined || ifMatch !== undefined;
}

export function conditionsOf({ ifNoneMatch, ifMatch }: WriteConditions): { IfNoneMatch?: '*'; IfMatch?: string } {
  return {
    ...(ifNoneMatch === undefined ? undefined : { IfNoneMatch: ifNoneMatch }),
    ...(ifMatch === undefined ? undefined : { IfMatch: `"${ifMatch}"` }),
  };
}

/** What a refused condition means, which the status does not say. */
export function refusalOf(error: unknown, key: string, { ifNoneMatch, ifMatch }: WriteConditions): unknown {
  const { status, code } = failureOf(error);
  if (ifNoneMatch !== undefined && status === 412) return new FileExistsError(key, { cause: error });
  // Amazon and Ceph 20 answer so where there is no object to match
  if (ifMatch !== undefined && status === 404 && code !== 'NoSuchBucket' && code !== 'NoSuchUpload') {
    return new PreconditionFailedError('There is no file to match ifMatch names.', { key, cause: error });
  }
  return error;
}

async function sendPut(
  bucket: Bucket,
  key: string,
  body: SlicedBody,
  input: PutInput,
  { token, exchange }: { readonly token: string | undefined; readonly exchange: Exchange },
): Promise<{ readonly ETag?: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bucket.send(
        new bucket.sdk.PutObjectCommand({
          ...bucket.target,
          ...bucket.settings.object,
          ...toRequest(input, { token, keepsUnderscores: bucket.isAmazon }),
          ...conditionsOf(input),
          ...body.checks(),
          Key: bucket.name(key),
          Body: body,
          ContentLength: body.size,
        }),
        // not the signal: a put that is cut off may have arrived all the same
        { exchange },
      );
    } catch (error) {
      if (!isConditional(input) || failureOf(error).status !== 409 || attempt >= CONFLICTS) throw error;
      await delay(50 * attempt);
    }
  }
}

/** The object as it is there, if this put made it. An equal one of another put is none of ours where a condition was to decide. */
async function findOurs(
  bucket: Bucket,
  key: string,
  body: SlicedBody,
  input: PutInput,
  token: string | undefined,
): Promise<StoredFile | undefined> {
  const found = await headObject(bucket, key).catch(() => undefined);
  if (found === undefined) return undefined;
  if (isConditional(input)) return token !== undefined && tokenOf(found.answer) === token ? found.file : undefined;
  const isEqual =
    found.file.size === body.size &&
    found.file.etag === body.md5() &&
    isDeepStrictEqual(attributesOfAnswer(found.answer), attributesOf(input));
  return isEqual ? found.file : undefined;
}
