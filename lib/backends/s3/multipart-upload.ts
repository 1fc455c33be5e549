import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  attributesOf,
  ConnectionError,
  freezeStoredFile,
  type FileAttributes,
  type StoredFile,
} from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { headObject } from './head-object.js';
import { etagOf, toRequest, wholeSeconds } from './object-attributes.js';
import { conditionsOf, isConditional, refusalOf, type WriteConditions } from './put-object.js';
import type { Exchange } from './request-handler.js';
import { failureOf, isAnswerLost } from './s3-errors.js';
import type { SlicedBody } from './sliced-body.js';
import { abortUpload, abortTwins } from './abort-uploads.js';

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly ChecksumCRC32?: string | undefined;
}

/** As for a put in one request. */
const CONFLICTS = 5;

/** One upload in parts. Whoever begins it completes or aborts it. */
export class MultipartUpload {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #attributes: FileAttributes;
  readonly #id: string;
  /** When it began, where the request to begin was repeated: an answer that was lost has left another upload open. */
  readonly #twinsSince: Date | undefined;
  readonly #parts: Part[] = [];
  #size = 0;
  /** Whether a part was cut off on its way: it may arrive after the upload was aborted, and keep it open. */
  #wasCut = false;

  private constructor(
    bucket: Bucket,
    key: string,
    attributes: FileAttributes,
    id: string,
    twinsSince: Date | undefined,
  ) {
    this.#bucket = bucket;
    this.#key = key;
    this.#attributes = attributes;
    this.#id = id;
    this.#twinsSince = twinsSince;
    bucket.openUploads.add(id);
  }

  static async begin(bucket: Bucket, key: string, attributes: FileAttributes): Promise<MultipartUpload> {
    const began = new Date(bucket.now());
    const input = {
      ...bucket.target,
      ...bucket.settings.object,
      ...toRequest(attributes, { keepsUnderscores: bucket.isAmazon }),
      ...(bucket.integrity === 'crc32' ? { ChecksumAlgorithm: 'CRC32' as const } : undefined),
      Key: bucket.name(key),
    };
    try {
      return await bucket.beginning.during(key, async () => {
        // not the caller's signal: an upload that is begun and not known of stays open
        const answer = await bucket.send(new bucket.sdk.CreateMultipartUploadCommand(input));
        const { UploadId, $metadata } = answer;
        if (UploadId === undefined || UploadId === '') {
          throw new ConnectionError('The server began an upload and did not name it.');
        }
        const since = ($metadata.attempts ?? 1) > 1 ? began : undefined;
        return new MultipartUpload(bucket, key, attributes, UploadId, since);
      });
    } catch (error) {
      // the first is that of above
      if (error instanceof ConnectionError || isAnswerLost(error))
        await abortTwins(bucket, key, began).catch(() => undefined);
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async put(number: number, body: SlicedBody, signal?: AbortSignal): Promise<void> {
    const input = {
      ...this.#target,
      ...body.checks(),
      PartNumber: number,
      Body: body,
      ContentLength: body.size,
    };
    try {
      const answer = await this.#bucket.send(new this.#bucket.sdk.UploadPartCommand(input), { signal });
      const { ETag = '', ChecksumCRC32 } = answer;
      this.#add({ PartNumber: number, ETag, ChecksumCRC32 }, body.size);
    } catch (error) {
      this.#wasCut ||= signal?.aborted === true || isAnswerLost(error);
      throw error;
    }
  }

  /** A part that the server copies from another object. */
  async copy(
    number: number,
    source: { readonly name: string; readonly etag?: string },
    first: number,
    size: number,
  ): Promise<void> {
    const input = {
      ...this.#target,
      PartNumber: number,
      CopySource: source.name,
      ...(source.etag === undefined ? undefined : { CopySourceIfMatch: `"${source.etag}"` }),
      CopySourceRange: `bytes=${first}-${first + size - 1}`,
    };
    try {
      const { CopyPartResult } = await this.#bucket.send(new this.#bucket.sdk.UploadPartCopyCommand(input));
      const { ETag = '', ChecksumCRC32 } = CopyPartResult ?? {};
      this.#add({ PartNumber: number, ETag, ChecksumCRC32 }, size);
    } catch (error) {
      // the server may be copying still
      this.#wasCut ||= isAnswerLost(error);
      throw error;
    }
  }

  /** Makes the object visible. When it fails the upload is still to be aborted. */
  async complete(conditions: WriteConditions): Promise<StoredFile> {
    const exchange: Exchange = {};
    let etag: string;
    try {
      etag = await this.#sendComplete(conditions, exchange);
    } catch (error) {
      const mayBeThere = isAnswerLost(error) || failureOf(error).attempts > 1;
      if (!mayBeThere || !(await this.#isCompleted(error))) throw refusalOf(error, this.#key, conditions);
      etag = '';
    }
    this.#bucket.openUploads.delete(this.#id);
    await this.#dropTwins();
    return this.#fileOf(etag, exchange.date);
  }

  /** Removes what was uploaded. */
  async abort(): Promise<void> {
    try {
      await abortUpload(this.#bucket, this.#key, this.#id, this.#wasCut);
    } finally {
      // nobody goes on with it: one that could not be aborted is the sweep's
      this.#bucket.openUploads.delete(this.#id);
    }
    await this.#dropTwins();
  }

  get #target(): {
    readonly Bucket: string;
    readonly ExpectedBucketOwner?: string;
    readonly Key: string;
    readonly UploadId: string;
  } {
    return { ...this.#bucket.target, Key: this.#bucket.name(this.#key), UploadId: this.#id };
  }

  #add(part: Part, size: number): void {
    this.#parts.push(part);
    this.#size += size;
  }

  async #sendComplete(conditions: WriteConditions, exchange: Exchange): Promise<string> {
    this.#parts.sort((a, b) => a.PartNumber - b.PartNumber);
    const input = { ...this.#target, ...conditionsOf(conditions), MultipartUpload: { Parts: this.#parts } };
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#bucket.send(new this.#bucket.sdk.CompleteMultipartUploadCommand(input), {
          exchange,
        });
        return etagOf(answer.ETag);
      } catch (error) {
        if (!isConditional(conditions) || failureOf(error).status !== 409 || attempt >= CONFLICTS) throw error;
        await delay(50 * attempt);
      }
    }
  }

  /** Whether the upload was completed although no answer said so: then it is open no more, and its object is there. */
  async #isCompleted(lost: unknown): Promise<boolean> {
    try {
      await this.#bucket.send(new this.#bucket.sdk.ListPartsCommand({ ...this.#target, MaxParts: 1 }));
      return false;
    } catch (error) {
      if (failureOf(error).status !== 404) throw lost;
    }
    const found = await headObject(this.#bucket, this.#key).catch(() => undefined);
    if (found === undefined) return false;
    const { etag, size } = found.file;
    return etag === this.#ownEtag || (size === this.#size && etag.endsWith(`-${this.#parts.length}`));
  }

  /** A multipart object's etag and date are told by HEAD alone: Ceph answers with no etag, and Amazon dates it by its beginning. */
  async #fileOf(etag: string, date: Date | undefined): Promise<StoredFile> {
    const found = await headObject(this.#bucket, this.#key).catch(() => undefined);
    if (found?.file.size === this.#size) {
      const { file } = found;
      if (etag === '' ? file.etag.endsWith(`-${this.#parts.length}`) : file.etag === etag) return file;
    }
    // it was replaced at once, or HEAD was refused: what was put was put all the same
    return freezeStoredFile({
      ...attributesOf(this.#attributes),
      key: this.#key,
      size: this.#size,
      etag: etag === '' ? this.#ownEtag : etag,
      lastModified: wholeSeconds(date ?? new Date()),
    });
  }

  /** As servers without encryption make it: the MD5 of the parts' MD5s, and their number. */
  get #ownEtag(): string {
    const hash = createHash('md5');
    for (const { ETag } of this.#parts) hash.update(Buffer.from(etagOf(ETag), 'hex'));
    return `${hash.digest('hex')}-${this.#parts.length}`;
  }

  async #dropTwins(): Promise<void> {
    if (this.#twinsSince === undefined) return;
    // what cannot be removed now is found by the sweep
    await abortTwins(this.#bucket, this.#key, this.#twinsSince).catch(() => undefined);
  }
}
