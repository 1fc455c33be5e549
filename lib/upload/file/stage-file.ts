import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { extension as extensionOfType, lookup } from 'mime-types';
import {
  ConfigurationError,
  FileExistsError,
  freshKey,
  InvalidArgumentError,
  SourceError,
  StorageError,
} from '../../contract/index.js';
import { waitFor, type Patience } from '../callback.js';
import * as refused from '../errors/index.js';
import type { IncomingFile } from '../stored-upload.js';
import { isMetadata } from '../resolve-upload-options.js';
import type { RequestContext } from '../upload-context.js';
import type { FileRule } from '../upload-rules.js';
import type { StageRequest, UnitFile, UploadUnit } from '../upload-unit.js';
import { allows, allowsClaimOf } from './allowed-types.js';
import { contentTypeOfBytes } from './content-type-of-bytes.js';
import type { Digest } from './digest.js';
import type { FileHead, IncomingBytes } from './incoming-bytes.js';
import { progressOfScanner } from './progress.js';
import { discardTransform, runTransform, type RunningTransform } from './transform.js';

/** A file as its part or its request names it, before anybody has looked into it. */
export type NamedFile = Omit<IncomingFile, 'contentType' | 'extension'>;

/** What of a file's request is needed to stage it. */
export interface Staging {
  readonly rule: FileRule;
  readonly unit: UploadUnit;
  readonly context: RequestContext;
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
  readonly onProgress?: RunningTransform['onProgress'];
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
    const taken: unknown = await waitFor(
      rule.filter(incoming, context.forFunctions),
      patienceFor('filter', incoming, to),
    );
    // a filter that forgets to say would lose files in silence
    if (typeof taken !== 'boolean') throw new ConfigurationError('filter must give true or false.');
    if (!taken) {
      bytes.drop();
      return undefined;
    }
  }
  const { allowedTypes } = rule;
  if (allowedTypes !== undefined && !allows(allowedTypes, incoming.contentType)) {
    const found = head.whole && head.bytes.length === 0 ? undefined : incoming.contentType;
    throw refused.fileTypeRefused(named, found, allowedTypes.description);
  }
  const inTransform = rule.transform === undefined ? undefined : patienceFor('transform', incoming, to);
  const transform =
    rule.transform === undefined || inTransform === undefined
      ? undefined
      : await waitFor(rule.transform(incoming, context.forFunctions), inTransform, discardTransform);
  const verdict = rule.scan === undefined ? undefined : askScanner(rule.scan, incoming, bytes, to);
  const source = head.whole && transform === undefined ? head.bytes : bytes.open();
  // heard at once, also when the staging fails before it is waited for
  const passed = verdict?.then((clean) => {
    if (!clean) throw refused.fileRejected(named);
  });
  passed?.catch(() => undefined);

  const running =
    transform === undefined || inTransform === undefined || Buffer.isBuffer(source)
      ? undefined
      : runTransform(transform, bytes, source, inTransform);
  const staging = stageInto(targetOf(source, incoming, running, rule.contentType), incoming, to);
  // the storage listens by now, or soon: what it has no room for waits
  bytes.passOn();
  if (running !== undefined) {
    // One may have ended before the file, and takes no more: what still comes must not wait for it, least of all a scanner that reads on.
    const letGo = (): unknown => (source as Readable).destroy();
    staging.then(letGo, letGo);
  }
  try {
    const staged = running === undefined ? staging : Promise.race([staging, running.late]);
    const unitFile = passed === undefined ? await staged : (await Promise.all([staged, passed]))[0];
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
  } finally {
    running?.stop();
  }
}

/** How long a function of the application is waited for. */
function patienceFor(option: string, file: NamedFile, { rule, context }: Staging): Patience {
  return { option, file, milliseconds: rule.callbackTimeout, signal: context.signal };
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
  to: Staging,
): Promise<boolean> {
  const stream = bytes.open();
  try {
    const patience = { ...patienceFor('scan', incoming, to), progress: progressOfScanner(bytes, stream) };
    const verdict: unknown = await waitFor(scan({ ...incoming, bytes: stream }, to.context.forFunctions), patience);
    // whatever else a scanner may give, in JavaScript too, is no clean bill
    return verdict === true;
  } finally {
    // what it has not read holds nobody back
    stream.destroy();
  }
}

function targetOf(
  source: Buffer | Readable,
  incoming: IncomingFile,
  running: RunningTransform | undefined,
  bound: string | undefined,
): Target {
  const { extension } = incoming;
  const contentType = bound ?? incoming.contentType;
  if (running === undefined) return { data: source, contentType, extension };
  const { stream: data, contentType: made, onProgress } = running;
  if (made === undefined) return { data, contentType, extension, onProgress };
  const madeExtension = extensionOfType(made);
  return { data, contentType: made, extension: madeExtension === false ? '' : `.${madeExtension}`, onProgress };
}

async function stageInto(target: Target, incoming: IncomingFile, to: Staging): Promise<UnitFile> {
  const { rule, unit, context, order } = to;
  const { storage, storageName, overwrite, metadata } = rule;
  const { data, contentType, extension, onProgress } = target;
  const key = await keyOf(incoming, to);
  // a key that nobody has chosen is there already with no one
  const createOnly = key !== undefined && !overwrite;
  const options: StageRequest['options'] = {
    contentType,
    metadata:
      typeof metadata === 'function'
        ? metadataIn(await waitFor(metadata(incoming, context.forFunctions), patienceFor('metadata', incoming, to)))
        : metadata,
  };
  if (onProgress !== undefined) options.onProgress = onProgress;
  if (createOnly) options.ifNoneMatch = '*';
  if (key === undefined) options[freshKey] = true;
  unit.throwIfRolledBack();
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
    if (error instanceof InvalidArgumentError && onProgress !== undefined && !Buffer.isBuffer(data)) {
      if (data.readableObjectMode) throw new ConfigurationError('transform must give bytes.', { cause: error });
    }
    // what a transform fails with is no failure of the storage; an HttpException is its answer
    if (error instanceof SourceError && !Buffer.isBuffer(data)) throw data.errored ?? error;
    throw error;
  }
}

/** @returns undefined where the option is not set: a key that a function of the application forgot to give is none of that */
async function keyOf(incoming: IncomingFile, to: Staging): Promise<string | undefined> {
  const { rule, context } = to;
  if (rule.key === undefined) return undefined;
  const key: unknown = await waitFor(rule.key(incoming, context.forFunctions), patienceFor('key', incoming, to));
  if (typeof key !== 'string') throw new ConfigurationError('key must give a string.');
  return key;
}

function metadataIn(given: unknown): Readonly<Record<string, string>> {
  if (!isMetadata(given)) throw new ConfigurationError('metadata must give an object of strings.');
  return given;
}
