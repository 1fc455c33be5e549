import type { Readable } from 'node:stream';
import { ConfigurationError, IntegrityError, StorageError } from '../errors/index.js';
import { compareKeys } from '../keys/index.js';
import { changeHold, type ChangeHold } from '../options/change-hold.js';
import type { ResolvedListEntriesOptions, ResolvedListOptions, SignalOptions } from '../options/options.js';
import { CheckedStream } from '../source/index.js';
import {
  attributesOf,
  type DeleteReport,
  type FileAttributes,
  type ListEntry,
  type StoredFile,
} from '../stored-file.js';
import { abortErrorOf, onAbort } from './abort.js';
import type { OpenedFile } from './deliver-stream.js';
import type { DeleteOutcome } from './storage-hooks.js';

/** How many single deletions a bulk one keeps in flight. */
const DELETES_AT_ONCE = 16;

/** Reads a whole body into memory, and refuses one that is shorter than its file says. */
export async function drain(opened: OpenedFile, signal: AbortSignal | undefined): Promise<Buffer> {
  const { body, file, range } = opened;
  const expected = range?.length ?? file.size;
  const off = onAbort(signal, (error) => body.destroy(error));
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
    }
    if (length !== expected) {
      throw new IntegrityError(`The storage gave ${length} of ${expected} bytes.`, { key: file.key });
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
  } finally {
    off();
  }
}

/** Pipes an opened object into a put, with its attributes. */
export async function copyThrough(
  opened: OpenedFile,
  signal: AbortSignal | undefined,
  put: (source: Readable, attributes: FileAttributes & { readonly size: number }) => Promise<StoredFile>,
): Promise<StoredFile> {
  const stream = new CheckedStream(opened.body, { size: opened.file.size });
  stream.on('error', () => undefined);
  const off = onAbort(signal, (error) => stream.destroy(error));
  try {
    const attributes = attributesOf(opened.file);
    return await put(stream, { ...attributes, size: opened.file.size });
  } finally {
    off();
    stream.destroy();
  }
}

/** Groups an ordered listing by what follows the prefix up to the delimiter. */
export async function* groupEntries(
  prefix: string,
  options: ResolvedListEntriesOptions,
  list: (from: ResolvedListOptions) => AsyncIterable<StoredFile>,
): AsyncGenerator<ListEntry> {
  const { delimiter, startAfter } = options;
  let last: string | undefined;
  for await (const file of list(withoutLimit(options))) {
    const end = file.key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      yield { kind: 'file', file };
      continue;
    }
    const group = file.key.slice(0, end + delimiter.length);
    // A group stands where its own name does: one that starts at or before startAfter has been shown, whatever is in it.
    if (group === last || (startAfter !== undefined && compareKeys(group, startAfter) <= 0)) continue;
    last = group;
    yield { kind: 'prefix', prefix: group };
  }
}

function withoutLimit(options: ResolvedListEntriesOptions): ResolvedListOptions {
  // Many keys may make one entry, so the limit of entries says nothing about keys.
  const { limit: _limit, delimiter: _delimiter, ...rest } = options;
  return rest;
}

/**
 * Deletes one by one, a few at a time, with a result for each key.
 *
 * @throws {@link AbortError} when the signal fires before every key was tried
 */
export async function deleteEach(
  keys: readonly string[],
  signal: AbortSignal | undefined,
  remove: (key: string) => Promise<void>,
): Promise<DeleteOutcome> {
  const failures = new Map<string, unknown>();
  const queue = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of queue) {
      if (signal?.aborted === true) throw abortErrorOf(signal);
      try {
        await remove(key);
      } catch (error) {
        failures.set(key, error);
      }
    }
  };
  const workers = Array.from({ length: Math.min(DELETES_AT_ONCE, keys.length) }, worker);
  // all of them, so that no deletion goes on after the call has settled
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason;
  return {
    deleted: keys.filter((key) => !failures.has(key)),
    failed: Array.from(failures, ([key, error]) => ({ key, error })),
  };
}

/** Deletes what a listing yields, in batches. */
export async function deleteListed(
  files: AsyncIterable<StoredFile>,
  batchSize: number,
  remove: (keys: readonly string[]) => Promise<DeleteReport>,
): Promise<DeleteReport> {
  const deleted: string[] = [];
  const failed: { key: string; error: StorageError }[] = [];
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    const report = await remove(batch);
    deleted.push(...report.deleted);
    failed.push(...report.failed);
    batch = [];
  };
  for await (const file of files) {
    batch.push(file.key);
    if (batch.length >= batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  return { deleted, failed };
}

/** What every call may have. */
export function pickSignal({ signal, [changeHold]: hold }: SignalOptions): {
  readonly signal?: AbortSignal;
  readonly [changeHold]?: ChangeHold;
} {
  if (hold !== undefined) return { ...(signal === undefined ? undefined : { signal }), [changeHold]: hold };
  return signal === undefined ? {} : { signal };
}

export async function* nothing(): AsyncGenerator<never> {
  // an empty listing
}

/** A move whose last step failed: both objects are there. */
export function sourceNotRemoved(source: string, destination: string, cause: unknown): StorageError {
  return new StorageError(
    `The file was copied to ${JSON.stringify(destination)}, but ${JSON.stringify(source)} could not be removed: both are there.`,
    { key: source, cause, retryable: cause instanceof StorageError && cause.retryable },
  );
}

export function configurationError(field: string, expected: string): ConfigurationError {
  return new ConfigurationError(`${field} must be ${expected}.`);
}
