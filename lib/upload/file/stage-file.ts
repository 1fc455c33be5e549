import { randomUUID } from 'node:crypto';
import { pipeline, type Duplex, type Readable } from 'node:stream';
import { HttpException, type ExecutionContext } from '@nestjs/common';
import { extension as extensionOfType, lookup } from 'mime-types';
import { ConfigurationError, FileExistsError, freshKey, StorageError, type Checksum } from '../../contract/index.js';
import * as refused from '../errors/index.js';
import type { IncomingFile } from '../stored-upload.js';
import type { FileRule } from '../upload-rules.js';
import type { UnitFile, UploadUnit } from '../upload-unit.js';
import type { UploadTransform } from '../upload-options.js';
import { allows, allowsClaimOf } from './allowed-types.js';
import { contentTypeOfBytes } from './content-type-of-bytes.js';
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
  /** Of the bytes as the client sent them, where the rule asks for one. Known once they have ended. */
  readonly checksum: Checksum | undefined;
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
  if (rule.filter !== undefined && !(await rule.filter(incoming, context))) {
    bytes.drop();
    return undefined;
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
  try {
    const [unitFile] = await Promise.all([staging, passed]);
    if (source !== head.bytes && transform === undefined && !(source as Readable).readableEnded) {
      throw new StorageError('The storage staged a file that it had not read to its end.', {
        storage: rule.storageName,
      });
    }
    return { incoming, rule, unitFile, checksum: bytes.checksum };
  } catch (error) {
    // the unit takes the file back when it is there after all
    staging.catch(() => undefined);
    throw error;
  }
}

async function lookInto(named: NamedFile, head: FileHead, { allowedTypes }: FileRule): Promise<IncomingFile> {
  const claims = [named.mimetype];
  if (allowedTypes === undefined) return { ...named, ...(await contentTypeOfBytes(head.bytes, claims)) };
  // browsers know few types of text and call the others octet-stream
  const byName = lookup(named.originalname);
  if (byName !== false) claims.push(byName);
  return {
    ...named,
    ...(await contentTypeOfBytes(head.bytes, claims, (claim) => allowsClaimOf(allowedTypes, claim))),
  };
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
  const { stream, contentType: made } =
    'stream' in transform ? transform : { stream: transform, contentType: undefined };
  const data = through(source, stream);
  if (made === undefined) return { data, contentType, extension };
  const madeExtension = extensionOfType(made);
  return { data, contentType: made, extension: madeExtension === false ? '' : `.${madeExtension}` };
}

/** The end of one is the end of the other; what fails is told by the storage, which reads the stream. */
function through(source: Readable, stream: Duplex): Readable {
  if (
    typeof (stream as Partial<Duplex>).pipe !== 'function' ||
    typeof (stream as Partial<Duplex>).write !== 'function'
  ) {
    throw new ConfigurationError('transform must give a Duplex stream, or { stream, contentType? } with one.');
  }
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
  const key = await rule.key?.(incoming, context);
  // a key that nobody has chosen is there already with no one
  const createOnly = key !== undefined && !overwrite;
  const options = {
    contentType,
    metadata: typeof metadata === 'function' ? await metadata(incoming, context) : metadata,
    ...(createOnly ? { ifNoneMatch: '*' as const } : undefined),
    ...(key === undefined ? { [freshKey]: true as const } : undefined),
  };
  unit.signal.throwIfAborted();
  // The commit decides. This spares a client from sending all of a large file before it hears of it.
  if (createOnly && !Buffer.isBuffer(data) && (await storage.exists(key, { signal: unit.signal }))) {
    throw new FileExistsError(key);
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
    // what a transform fails with by intent is its answer, and no failure of the storage
    if (!Buffer.isBuffer(data) && data.errored instanceof HttpException) throw data.errored;
    throw error;
  }
}
