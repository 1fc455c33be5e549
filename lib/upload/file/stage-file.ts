import { randomUUID } from 'node:crypto';
import { pipeline, type Duplex, type Readable } from 'node:stream';
import type { ExecutionContext } from '@nestjs/common';
import { extension as extensionOfType, lookup } from 'mime-types';
import { ConfigurationError, FileExistsError, freshKey, SourceError, StorageError } from '../../contract/index.js';
import * as refused from '../errors/index.js';
import type { IncomingFile } from '../stored-upload.js';
import { isMetadata } from '../resolve-upload-options.js';
import type { FileRule } from '../upload-rules.js';
import type { UnitFile, UploadUnit } from '../upload-unit.js';
import type { UploadTransform } from '../upload-options.js';
import { allows, allowsClaimOf } from './allowed-types.js';
import { contentTypeOfBytes } from './content-type-of-bytes.js';
import type { Digest } from './digest.js';
import type { FileHead, IncomingBytes } from './incoming-bytes.js';

/** A file as its part or its request names it, before anybody has looked into it. */
export type NamedFile = Omit<IncomingFile, 'contentType' | 'extension'>;

/** What of a file's request is needed to stage it. */
export interface Staging {
  readonly rule: FileRule;
  readonly unit: UploadUnit;
  readonly context: ExecutionContext;
  /** The place of the file in the request. */
  readonly order: number;
}

/** A file that has been staged. */
export interface ReceivedFile {
  readonly incoming: IncomingFile;
  readonly rule: FileRule;
  readonly unitFile: UnitFile;
  /** Of the bytes as the client sent them, where the rule asks for a checksum. It has one when they have ended. */
  readonly digest: Digest | undefined;
}

/** What a file goes into as it is stored. */
interface Target {
  readonly data: Buffer | Readable;
  readonly contentType: string;
  readonly extension: string;
}

/**
 * Takes one file from its first byte to the staged whole: finds its type, asks the application's functions, and lets the bytes pass through the
 * transform into the storage, and to the scanner beside it.
 *
 * @returns `undefined` for a file that the filter left out
 * @throws UploadException, what the storage throws, and what the application's functions throw
 */
export async function stageFile(
  named: NamedFile,
  bytes: IncomingBytes,
  to: Staging,
): Promise<ReceivedFile | undefined> {
  const { rule, context } = to;
  const head = await bytes.head;
  const incoming = await lookInto(named, head, rule);
  if (rule.filter !== undefined) {
    const taken: unknown = await rule.filter(incoming, context);
    // a filter that forgets to say would lose files in silence
    if (typeof taken !== 'boolean') throw new ConfigurationError('filter must give true or false.');
    if (!taken) {
      bytes.drop();
      return undefined;
    }
  }
  const { allowedTypes } = rule;
  if (allowedTypes !== undefined && !allows(allowedTypes, incoming.contentType)) {
    throw refused.fileTypeRefused(named.fieldname, incoming.contentType, allowedTypes.description);
  }
  const transform = await rule.transform?.(incoming, context);
  const verdict = rule.scan === undefined ? undefined : askScanner(rule.scan, incoming, bytes, context);
  const source = head.whole && transform === undefined ? head.bytes : bytes.open();
  // heard at once, also when the staging fails before it is waited for
  const passed = verdict?.then((clean) => {
    if (!clean) throw refused.fileRejected(named.fieldname);
  });
  passed?.catch(() => undefined);

  const staging = stageInto(targetOf(source, incoming, transform), incoming, to);
  // the storage listens by now, or soon: what it has no room for waits
  bytes.passOn();
  if (transform !== undefined) {
    // One may have ended before the file, and takes no more: what still comes must not wait for it, least of all a scanner that reads on.
    const letGo = (): unknown => (source as Readable).destroy();
    staging.then(letGo, letGo);
  }
  try {
    const unitFile = passed === undefined ? await staging : (await Promise.all([staging, passed]))[0];
    if (source !== head.bytes && transform === undefined && !(source as Readable).readableEnded) {
      throw new StorageError('The storage staged a file that it had not read to its end.', {
        storage: rule.storageName,
      });
    }
    // nor has it a reader any more, and must not wait for one in memory
    bytes.drop();
    return { incoming, rule, unitFile, digest: bytes.digest };
  } catch (error) {
    // the unit takes the file back when it is there after all
    staging.catch(() => undefined);
    throw error;
  }
}

async function lookInto(named: NamedFile, head: FileHead, { allowedTypes }: FileRule): Promise<IncomingFile> {
  const { fieldname, originalname, encoding, mimetype } = named;
  const claims = [mimetype];
  let isNamed: ((claim: string) => boolean) | undefined;
  if (allowedTypes !== undefined) {
    // browsers know few types of text and call the others octet-stream
    const byName = lookup(originalname);
    if (byName !== false) claims.push(byName);
    isNamed = (claim) => allowsClaimOf(allowedTypes, claim);
  }
  const { contentType, extension } = await contentTypeOfBytes(head.bytes, claims, isNamed);
  return { fieldname, originalname, encoding, mimetype, contentType, extension };
}

async function askScanner(
  scan: NonNullable<FileRule['scan']>,
  incoming: IncomingFile,
  bytes: IncomingBytes,
  context: ExecutionContext,
): Promise<boolean> {
  const stream = bytes.open();
  try {
    const verdict: unknown = await scan({ ...incoming, bytes: stream }, context);
    // whatever else a scanner may give, in JavaScript too, is no clean bill
    return verdict === true;
  } finally {
    // what it has not read holds nobody back
    stream.destroy();
  }
}

function targetOf(source: Buffer | Readable, incoming: IncomingFile, transform: UploadTransform | undefined): Target {
  const { contentType, extension } = incoming;
  if (transform === undefined || Buffer.isBuffer(source)) return { data: source, contentType, extension };
  const { stream, contentType: made } = partsOf(transform);
  const data = through(source, stream);
  if (made === undefined) return { data, contentType, extension };
  const madeExtension = extensionOfType(made);
  return { data, contentType: made, extension: madeExtension === false ? '' : `.${madeExtension}` };
}

/** @throws ConfigurationError for what a function in JavaScript may give instead */
function partsOf(transform: unknown): { readonly stream: Duplex; readonly contentType: string | undefined } {
  const { stream = transform, contentType } =
    typeof transform === 'object' && transform !== null
      ? (transform as { readonly stream?: unknown; readonly contentType?: unknown })
      : {};
  if (!isDuplex(stream) || !(contentType === undefined || typeof contentType === 'string')) {
    throw new ConfigurationError('transform must give a Duplex stream, or { stream, contentType? } with one.');
  }
  return { stream, contentType };
}

function isDuplex(stream: unknown): stream is Duplex {
  if (typeof stream !== 'object' || stream === null) return false;
  const { pipe, write } = stream as { readonly pipe?: unknown; readonly write?: unknown };
  return typeof pipe === 'function' && typeof write === 'function';
}

/** The end of one is the end of the other; what fails is told by the storage, which reads the stream. */
function through(source: Readable, stream: Duplex): Readable {
  pipeline(source, stream, () => undefined);
  return stream;
}

async function stageInto(
  target: Target,
  incoming: IncomingFile,
  { rule, unit, context, order }: Staging,
): Promise<UnitFile> {
  const { storage, storageName, overwrite, metadata } = rule;
  const { data, contentType, extension } = target;
  const key = await keyOf(incoming, rule, context);
  // a key that nobody has chosen is there already with no one
  const createOnly = key !== undefined && !overwrite;
  const options = {
    contentType,
    metadata: typeof metadata === 'function' ? metadataIn(await metadata(incoming, context)) : metadata,
    ...(createOnly ? { ifNoneMatch: '*' as const } : undefined),
    ...(key === undefined ? { [freshKey]: true as const } : undefined),
  };
  unit.signal.throwIfAborted();
  // The commit decides. This spares a client from sending all of a large file before it hears of it.
  if (createOnly && !Buffer.isBuffer(data) && (await storage.exists(key, { signal: unit.signal }))) {
    throw new FileExistsError(key);
  }
  if (!Buffer.isBuffer(data) && (data.destroyed || data.readableEnded)) {
    throw (
      data.errored ??
      new ConfigurationError('transform gave a stream that was used or destroyed before; make one for each file.')
    );
  }
  try {
    return await unit.stage({
      storage,
      storageName,
      key: key ?? randomUUID() + extension,
      data,
      options,
      order,
      replaces: key !== undefined && overwrite,
    });
  } catch (error) {
    // what a transform fails with is no failure of the storage; an HttpException is its answer
    if (error instanceof SourceError && !Buffer.isBuffer(data)) throw data.errored ?? error;
    throw error;
  }
}

/** @returns undefined where the option is not set: a key that a function of the application forgot to give is none of that */
async function keyOf(incoming: IncomingFile, rule: FileRule, context: ExecutionContext): Promise<string | undefined> {
  if (rule.key === undefined) return undefined;
  const key: unknown = await rule.key(incoming, context);
  if (typeof key !== 'string') throw new ConfigurationError('key must give a string.');
  return key;
}

function metadataIn(given: unknown): Readonly<Record<string, string>> {
  if (!isMetadata(given)) throw new ConfigurationError('metadata must give an object of strings.');
  return given;
}
