import type {
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
  MultipartUpload,
} from '@aws-sdk/client-s3';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { failureOf, isTimeout } from './s3-errors.js';

/** How often an upload is aborted before it is left to the sweep; the SDK repeats each of these by itself. */
const ROUNDS = 4;
/** Milliseconds between them at first. */
const PAUSE = 200;
/** Milliseconds by which the server's clock may be behind. */
const CLOCKS = 15 * 60 * 1000;

/**
 * Ends an upload, and what was uploaded is gone. One that is open no more is fine.
 *
 * @param look whether to look if it is: a part that arrives late keeps an upload open
 */
export async function abortUpload(bucket: Bucket, key: string, id: string, look: boolean): Promise<void> {
  const target = { ...bucket.target, Key: bucket.name(key), UploadId: id };
  for (let round = 1; ; round++) {
    try {
      if (await isGoneAfter(bucket.send(new bucket.sdk.AbortMultipartUploadCommand(target)))) return;
      if (!look) return;
      if (await isGoneAfter(bucket.send(new bucket.sdk.ListPartsCommand({ ...target, MaxParts: 1 })))) return;
      if (round === ROUNDS) return;
    } catch (error) {
      // a server that is silent keeps the caller waiting, and says no more to the next round
      if (round === ROUNDS || isTimeout(error)) throw error;
    }
    await delay(PAUSE * 2 ** (round - 1));
  }
}

/** Open uploads of exactly this key that nobody knows of: begun since then by a request whose answer was lost, and without a part. */
export async function abortTwins(bucket: Bucket, key: string, since: Date): Promise<void> {
  // one of these may be the other's, whose answer is on its way: what is left has no parts, costs nothing, and is the sweep's
  if (bucket.beginning.has(key)) return;
  for await (const { Key, UploadId, Initiated } of openUploads(bucket, bucket.name(key))) {
    if (Key !== bucket.name(key) || UploadId === undefined || bucket.openUploads.has(UploadId)) continue;
    if ((Initiated?.getTime() ?? 0) < since.getTime() - CLOCKS) continue;
    const target = { ...bucket.target, Key, UploadId };
    const { Parts } = await bucket.send(new bucket.sdk.ListPartsCommand({ ...target, MaxParts: 1 }));
    if (bucket.beginning.has(key)) return;
    // one with parts is another writer's at work
    if ((Parts === undefined || Parts.length === 0) && !bucket.openUploads.has(UploadId))
      await abortUpload(bucket, key, UploadId, false);
  }
}

/** Every upload that was begun and neither completed nor aborted, by pages. */
export async function* openUploads(bucket: Bucket, prefix: string): AsyncGenerator<MultipartUpload> {
  let position: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
  for (;;) {
    const answer = await askForUploads(bucket, { ...bucket.target, Prefix: prefix, ...position });
    yield* answer.Uploads ?? [];
    if (answer.IsTruncated !== true) return;
    const { NextKeyMarker, NextUploadIdMarker } = answer;
    // some of the uploads must not pass for all of them, nor the same ones come for ever
    const isSame = NextKeyMarker === position.KeyMarker && NextUploadIdMarker === position.UploadIdMarker;
    if (NextKeyMarker === undefined || isSame) {
      throw new StorageError('The server lists uploads, says that there are more, and does not say where.');
    }
    position = {
      KeyMarker: NextKeyMarker,
      ...(NextUploadIdMarker === undefined ? undefined : { UploadIdMarker: NextUploadIdMarker }),
    };
  }
}

/**
 * One page. A name that XML cannot hold fails it on some servers (Swift), and one key would keep every upload from being found: there it is asked for
 * with encoded names. Not at first, since Ceph encodes them and does not say so.
 */
async function askForUploads(
  bucket: Bucket,
  input: ListMultipartUploadsCommandInput,
): Promise<ListMultipartUploadsCommandOutput> {
  const { ListMultipartUploadsCommand } = bucket.sdk;
  try {
    return await bucket.send(new ListMultipartUploadsCommand(input));
  } catch (error) {
    if (failureOf(error).status !== 500) throw error;
    const answer = await bucket.send(new ListMultipartUploadsCommand({ ...input, EncodingType: 'url' }));
    if (answer.EncodingType !== 'url') throw error;
    const decode = (name: string | undefined): string => decodeURIComponent((name ?? '').replaceAll('+', ' '));
    return {
      ...answer,
      Uploads: (answer.Uploads ?? []).map((upload) => ({ ...upload, Key: decode(upload.Key) })),
      ...(answer.NextKeyMarker === undefined ? undefined : { NextKeyMarker: decode(answer.NextKeyMarker) }),
    };
  }
}

async function isGoneAfter(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return false;
  } catch (error) {
    if (failureOf(error).status === 404) return true;
    throw error;
  }
}
