import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import {
  FileNotFoundError,
  PreconditionFailedError,
  RangeNotSatisfiableError,
  resolveRead,
  StorageError,
  type ByteRange,
  type OpenedFile,
  type ResolvedGetOptions,
  type StoredFile,
} from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { headObject, withSize } from './head-object.js';
import { fromAnswer } from './object-attributes.js';
import { bodyOf, ObjectReader, type ReadPlan } from './object-reader.js';
import { failureOf } from './s3-errors.js';

/** Opens an object by one request: the attributes and the bytes are of one version. */
export async function readObject(bucket: Bucket, key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
  const answer = await askForObject(bucket, key, options);
  const body = bodyOf(answer);
  try {
    const file = fromAnswer(key, answer, sizeOf(answer));
    const range = resolveRead(file, options);
    const { offset, length } = range ?? { offset: 0, length: file.size };
    if (answer.ContentLength !== length) {
      throw new StorageError(`The server gave ${answer.ContentLength ?? 0} bytes where ${length} were asked for.`);
    }
    const stored = length === file.size ? storedChecksums(bucket, answer, file) : undefined;
    const plan: ReadPlan = { bucket, key, etag: file.etag, offset, length, ...(stored && { stored }) };
    return { file, range, body: new ObjectReader(plan, body) };
  } catch (error) {
    body.on('error', () => undefined).destroy();
    throw error;
  }
}

async function askForObject(bucket: Bucket, key: string, options: ResolvedGetOptions): Promise<GetObjectCommandOutput> {
  const { range, ifMatch, ifNoneMatch, signal } = options;
  const input = {
    ...bucket.target,
    Key: bucket.name(key),
    ...(range === undefined ? undefined : { Range: rangeHeader(range) }),
    ...(ifMatch === undefined ? undefined : { IfMatch: `"${ifMatch}"` }),
    ...(ifNoneMatch === undefined ? undefined : { IfNoneMatch: `"${ifNoneMatch}"` }),
  };
  try {
    const command = new bucket.sdk.GetObjectCommand(input);
    if (bucket.integrity === 'crc32') askForChecksum(command);
    return await bucket.send(command, { signal, exchange: { readsBody: true } });
  } catch (error) {
    const { status, code } = failureOf(error);
    if (status === 404 && code !== 'NoSuchBucket') {
      await bucket.expectThere();
      throw new FileNotFoundError(key, { cause: error });
    }
    if (status === 412 || status === 304) {
      throw new PreconditionFailedError('The file is not the version that the condition names.', { key, cause: error });
    }
    if (status === 416) throw new RangeNotSatisfiableError(await sizeNow(bucket, key), { key, cause: error });
    throw error;
  }
}

/** By a header of its own: asked through the SDK, it would put another stream before the body. */
function askForChecksum(command: {
  readonly middlewareStack: { add(middleware: unknown, options: object): void };
}): void {
  command.middlewareStack.add(
    (next: (args: unknown) => unknown) =>
      (args: { readonly request: { readonly headers: Record<string, string> } }) => {
        args.request.headers['x-amz-checksum-mode'] = 'ENABLED';
        return next(args);
      },
    { step: 'build', name: 'askForChecksum' },
  );
}

function rangeHeader({ offset, length, suffix }: ByteRange): string {
  if (suffix !== undefined) return `bytes=-${suffix}`;
  const last = length === undefined ? undefined : offset + length - 1;
  // a last position that no number can say is past every end
  return `bytes=${offset}-${last === undefined || last > Number.MAX_SAFE_INTEGER ? '' : last}`;
}

/** Of the whole object. */
function sizeOf({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const [, total] = /\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  return total === undefined ? (ContentLength ?? 0) : Number(total);
}

async function sizeNow(bucket: Bucket, key: string): Promise<number> {
  const found = await headObject(bucket, key);
  if (found === undefined) throw new FileNotFoundError(key);
  return withSize(found).size;
}

/** What the object was stored with that can be checked on reading all of it. That of an object of parts is one of their checksums. */
function storedChecksums(bucket: Bucket, answer: GetObjectCommandOutput, file: StoredFile): ReadPlan['stored'] {
  const { ChecksumCRC32 } = answer;
  if (bucket.integrity === 'none') return undefined;
  if (ChecksumCRC32 !== undefined && !ChecksumCRC32.includes('-')) return { crc32: ChecksumCRC32 };
  const isPlain = answer.ServerSideEncryption === undefined && answer.SSECustomerAlgorithm === undefined;
  // the etag of an object that was put in one piece and is not encrypted is its MD5
  return bucket.integrity === 'md5' && isPlain && /^[0-9a-f]{32}$/.test(file.etag) ? { md5: file.etag } : undefined;
}
