import { randomUUID } from 'node:crypto';
import type { Bucket } from './bucket.js';
import { failureOf, refusesEverything } from './s3-errors.js';
import type { S3Conditions } from './s3-storage-config.js';
import { abortUpload } from './abort-uploads.js';
import { SlicedBody } from './sliced-body.js';

/** Creates that race for one key. Of servers that look first and write then, most let most of them win. */
const RACERS = 12;
/** How often they race where nobody hears of having won. */
const ROUNDS = 3;

export const ALL_CONDITIONS: S3Conditions = { createOnly: true, multipart: true, compareAndSwap: true };
export const NO_CONDITIONS: S3Conditions = { createOnly: false, multipart: false, compareAndSwap: false };

/**
 * Finds out which conditions a server decides, since servers ignore those they do not know. It makes a small object of a random name beside
 * the keys and removes it again. Whoever may not write is told of none,
 * and whom the server does not know fails.
 *
 * compareAndSwap is not asked for: Ceph 20 takes `If-Match` on DeleteObject and refuses another version, and yet removes the next one when a put
 * comes at the same time. Whoever knows better says so in the settings.
 */
export async function probeConditions(bucket: Bucket): Promise<S3Conditions> {
  for (let round = 1; ; round++) {
    const conditions = await probeOnce(bucket);
    if (conditions !== undefined) return conditions;
    if (round === ROUNDS) return NO_CONDITIONS;
  }
}

/** @returns undefined where no create was told that it won: the answer to the one that did was lost */
async function probeOnce(bucket: Bucket): Promise<S3Conditions | undefined> {
  // the keys of this storage have no "//"
  const probe = new Probe(bucket, `${bucket.settings.prefix}/nestjs-storages-probe/${randomUUID()}`);
  try {
    const winners = await probe.countWinners();
    if (winners === 0) return undefined;
    const createOnly = winners === 1;
    if (!createOnly) return NO_CONDITIONS;
    return { createOnly, multipart: await probe.completeIsRefused(), compareAndSwap: false };
  } catch (error) {
    const failure = failureOf(error);
    // a storage that could do nothing should not start as one that only reads
    if (refusesEverything(failure)) throw error;
    if (failure.status === 403 || failure.status === 501) return NO_CONDITIONS;
    throw error;
  } finally {
    await probe.remove().catch(() => undefined);
  }
}

class Probe {
  readonly #bucket: Bucket;
  readonly #target: { readonly Bucket: string; readonly Key: string };

  constructor(bucket: Bucket, name: string) {
    this.#bucket = bucket;
    this.#target = { ...bucket.target, Key: name };
  }

  async countWinners(): Promise<number> {
    const creates = Array.from({ length: RACERS }, () => this.#put({ IfNoneMatch: '*' }));
    const results = await Promise.all(creates.map((create) => this.#isDone(create)));
    return results.filter(Boolean).length;
  }

  async completeIsRefused(): Promise<boolean> {
    const { sdk } = this.#bucket;
    const { UploadId } = await this.#bucket.send(new sdk.CreateMultipartUploadCommand(this.#target));
    if (UploadId === undefined) return false;
    try {
      const body = this.#body();
      const part = { ...this.#target, UploadId, PartNumber: 1, Body: body, ContentLength: body.size, ...body.checks() };
      const { ETag } = await this.#bucket.send(new sdk.UploadPartCommand(part));
      const Parts = [{ PartNumber: 1, ETag }];
      const input = { ...this.#target, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' };
      return !(await this.#isDone(this.#bucket.send(new sdk.CompleteMultipartUploadCommand(input))));
    } finally {
      await abortUpload(
        this.#bucket,
        this.#target.Key.slice(this.#bucket.settings.prefix.length),
        UploadId,
        false,
      ).catch(() => undefined);
    }
  }

  async remove(): Promise<void> {
    await this.#bucket.send(new this.#bucket.sdk.DeleteObjectCommand(this.#target));
  }

  #put(condition: {
    readonly IfNoneMatch?: '*';
    readonly IfMatch?: string;
  }): Promise<{ readonly ETag?: string | undefined }> {
    const body = this.#body();
    const input = { ...this.#target, ...condition, ...body.checks(), Body: body, ContentLength: body.size };
    return this.#bucket.send(new this.#bucket.sdk.PutObjectCommand(input));
  }

  #body(): SlicedBody {
    const body = new SlicedBody(this.#bucket.integrity === 'crc32' ? 'none' : this.#bucket.integrity);
    body.add(Buffer.from('probe'));
    return body;
  }

  /** Whether it was done rather than refused. */
  async #isDone(request: Promise<unknown>): Promise<boolean> {
    try {
      await request;
      return true;
    } catch (error) {
      // Amazon answers 409 to those that meet
      const { status } = failureOf(error);
      if (status === 412 || status === 409) return false;
      throw error;
    }
  }
}
