import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import {
  compareKeys,
  sanitizeKey,
  StorageError,
  type ListEntry,
  type ResolvedListOptions,
  type StoredFile,
} from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { fromListing } from './object-attributes.js';

/** What one request gives at most. */
const PAGE = 1000;

interface Page {
  readonly files: readonly StoredFile[];
  /** Without the storage's own prefix. */
  readonly prefixes: readonly string[];
}

/** Every object whose key begins with the prefix. */
export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  options: ResolvedListOptions,
): AsyncGenerator<StoredFile> {
  for await (const { files } of pages(bucket, prefix, options, undefined)) yield* files;
}

/** One level, objects and longer prefixes in one order. */
export async function* listLevel(
  bucket: Bucket,
  prefix: string,
  options: ResolvedListOptions & { readonly delimiter: string },
): AsyncGenerator<ListEntry> {
  const { delimiter, startAfter } = options;
  let last: string | undefined;
  for await (const { files, prefixes } of pages(bucket, prefix, options, delimiter)) {
    const entries: (readonly [string, ListEntry])[] = files.map((file) => [file.key, { kind: 'file', file }]);
    for (const group of prefixes) entries.push([group, { kind: 'prefix', prefix: group }]);
    entries.sort(([a], [b]) => compareKeys(a, b));
    for (const [name, entry] of entries) {
      // a group that begins at or before startAfter has been shown, whatever is in it; servers differ
      if (startAfter !== undefined && compareKeys(name, startAfter) <= 0) continue;
      // some servers repeat a group at a page's border
      if (last !== undefined && compareKeys(name, last) <= 0) continue;
      last = name;
      yield entry;
    }
  }
}

/** Page after page; the next one is asked for while this one is read, unless this one is enough. */
async function* pages(
  bucket: Bucket,
  prefix: string,
  { startAfter, limit, signal }: ResolvedListOptions,
  delimiter: string | undefined,
): AsyncGenerator<Page> {
  const gone = new AbortController();
  const stop = (): void => {
    gone.abort();
  };
  let left = limit ?? Infinity;
  signal?.addEventListener('abort', stop, { once: true });
  const ask = (position: {
    readonly ContinuationToken?: string;
    readonly StartAfter?: string;
  }): Promise<ListObjectsV2CommandOutput> => {
    const page = bucket.send(
      new bucket.sdk.ListObjectsV2Command({
        ...bucket.target,
        ...position,
        Prefix: bucket.name(prefix),
        // XML cannot hold every character that a key can
        EncodingType: 'url',
        ...(delimiter === undefined ? undefined : { Delimiter: delimiter }),
        ...(limit === undefined || delimiter !== undefined ? undefined : { MaxKeys: Math.min(limit, PAGE) }),
      }),
      { signal: gone.signal },
    );
    // one that is asked for ahead may fail before anyone waits for it
    page.catch(() => undefined);
    return page;
  };
  try {
    const begins = startAfter !== undefined && compareKeys(startAfter, prefix) >= 0;
    let next: Promise<ListObjectsV2CommandOutput> | undefined = ask(
      begins ? { StartAfter: bucket.name(startAfter) } : {},
    );
    let previous: string | undefined;
    while (next !== undefined) {
      const page: ListObjectsV2CommandOutput = await next;
      const read = readPage(bucket, page);
      left -= read.files.length + read.prefixes.length;
      const { IsTruncated, NextContinuationToken: token } = page;
      const goesOn = IsTruncated === true && token !== undefined && token !== previous;
      previous = token;
      const askNext = (): Promise<ListObjectsV2CommandOutput> | undefined =>
        goesOn ? ask({ ContinuationToken: token }) : undefined;
      // of a listing with a limit nobody may want another page, and each is paid for
      next = left > 0 ? askNext() : undefined;
      yield read;
      // half of a listing must not pass for the whole, nor the same page come for ever
      if (IsTruncated === true && !goesOn) {
        throw new StorageError('The server lists a page, says that there is more, and does not say where.');
      }
      next ??= askNext();
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

function readPage(bucket: Bucket, page: ListObjectsV2CommandOutput): Page {
  const isEncoded = page.EncodingType === 'url';
  const nameOf = (name: string | undefined): string =>
    (isEncoded ? decodeURIComponent((name ?? '').replaceAll('+', ' ')) : (name ?? '')).slice(
      bucket.settings.prefix.length,
    );
  return {
    files: (page.Contents ?? [])
      .map(({ Key, Size, ETag, LastModified }) => fromListing(nameOf(Key), Size ?? 0, ETag, LastModified))
      .filter(({ key }) => isCanonical(key)),
    prefixes: (page.CommonPrefixes ?? [])
      .map(({ Prefix }) => nameOf(Prefix))
      // `a//` is the beginning of no key, and whoever lists under it finds nothing
      .filter((group) => isCanonical(group) || isCanonical(`${group}x`)),
  };
}

/** Other tools leave objects such as `folder/` in a bucket, which are no key's: what is listed can be read. */
function isCanonical(key: string): boolean {
  try {
    return sanitizeKey(key) === key;
  } catch {
    return false;
  }
}
