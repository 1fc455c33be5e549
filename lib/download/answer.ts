import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import {
  ConfigurationError,
  PreconditionFailedError,
  RangeNotSatisfiableError,
  type ResolvedRange,
  type Storage,
  type StoredFile,
  type StoredFileStream,
} from '../contract/index.js';
import { MAX_HEADER_BYTES } from '../contract/options/resolve-attributes.js';
import { representation, validators, type Headers } from './answer-headers.js';
import { contentRange, parseRange, type RangeRequest } from './byte-ranges.js';
import { decideConditions, hasConditions, rangeHolds } from './conditions.js';
import type { Answer, Asked } from './download-answer.js';
import { firstBytesOf } from './first-bytes.js';
import { rangeParts } from './range-parts.js';
import type { StoredFileOptions } from './stored-file-options.js';

/** How often a version is looked for that stays the same from the look at it to its first byte. */
const MAX_TRIES = 5;

/** How long the storage's own URL of a redirect is good, in seconds. */
const REDIRECT_SECONDS = 300;

/** What is to be answered with. */
export interface StoredFileRequest {
  readonly storage: Storage;
  readonly key: string;
  readonly options: StoredFileOptions;
}

/**
 * Makes the answer to a request for a stored file. Its bytes begin to be there when it resolves, so that a storage that fails before the first one
 * still gets the status of its failure.
 *
 * @throws StorageError: `FileNotFoundError`, `PreconditionFailedError`, `RangeNotSatisfiableError`, and what the storage throws
 */
export async function answerTo(
  { request, status, signal }: Asked,
  { storage, key, options }: StoredFileRequest,
): Promise<Answer> {
  const { headers, method } = request;
  const conditional = status >= 200 && status < 300 && hasConditions(headers);
  // RFC 9110, section 14.2: a Range of any other method than GET says nothing
  const range = method === 'GET' && status === 200 ? headers.range : undefined;
  // the URL is signed for GET alone
  if (options.redirect !== undefined && method !== 'HEAD') return redirectTo(storage, key, options, signal);
  const looks = conditional || range !== undefined || method === 'HEAD';
  const unopened = (file: StoredFile): Answer | undefined =>
    conditional && decide(headers, file, method) === 'not-modified'
      ? { status: 304, headers: validators(file, options) }
      : undefined;
  for (let tries = 1; looks && tries <= MAX_TRIES; tries++) {
    const file = await storage.info(key, { signal });
    const answer = unopened(file);
    if (answer !== undefined) return answer;
    const described = representation(file, options);
    if (method === 'HEAD') return { headers: { ...described, 'Content-Length': String(file.size) } };
    const ranges = rangesOf(range, String(headers['if-range'] ?? ''), file);
    if (ranges === 'unsatisfiable') throw new RangeNotSatisfiableError(file.size, { key: file.key });
    try {
      const open = async (part?: ResolvedRange): Promise<StoredFileStream> =>
        firstBytesOf(
          await storage.get(file.key, {
            ifMatch: file.etag,
            signal,
            ...(part === undefined ? undefined : { range: part }),
          }),
        );
      return ranges === 'ignored' ? whole(file, described, await open()) : await partial(file, ranges, described, open);
    } catch (error) {
      // replaced between the look and the opening: the new version is asked the same questions
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
  }
  // Where it is replaced faster than it can be looked at and opened: the whole of what is there, which is one version (a Range may be ignored, RFC
  // 9110, section 14.2).
  const body = await firstBytesOf(await storage.get(key, { signal }));
  return orDestroy(body, () => {
    const answer = unopened(body.file);
    if (answer !== undefined) body.destroy();
    return answer ?? whole(body.file, representation(body.file, options), body);
  });
}

/** @throws PreconditionFailedError */
function decide(headers: IncomingHttpHeaders, file: StoredFile, method: string | undefined): 'answer' | 'not-modified' {
  const verdict = decideConditions(headers, file, method);
  if (verdict !== 'precondition-failed') return verdict;
  throw new PreconditionFailedError('The file is another version than the request names.', { key: file.key });
}

function rangesOf(range: string | undefined, ifRange: string, file: StoredFile): RangeRequest {
  if (range === undefined || !rangeHolds(ifRange, file)) return 'ignored';
  const ranges = parseRange(range, file.size);
  // the parts of a body that is encoded as a whole would be decoded one by one, and their frame with them
  return typeof ranges !== 'string' && ranges.length > 1 && file.contentEncoding !== undefined ? 'ignored' : ranges;
}

function orDestroy<T>(body: Readable, make: () => T): T {
  try {
    return make();
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function whole(file: StoredFile, headers: Headers, body: Readable): Answer {
  return { headers: { ...headers, 'Content-Length': String(file.size) }, body };
}

async function partial(
  file: StoredFile,
  ranges: readonly ResolvedRange[],
  headers: Headers,
  open: (range: ResolvedRange) => Promise<StoredFileStream>,
): Promise<Answer> {
  const [range = { offset: 0, length: file.size }] = ranges;
  if (ranges.length === 1) {
    return {
      status: 206,
      headers: { ...headers, 'Content-Range': contentRange(range, file.size), 'Content-Length': String(range.length) },
      body: await open(range),
    };
  }
  const { contentType, length, body } = await rangeParts(ranges, open, headers['Content-Type'] ?? '', file.size);
  return { status: 206, headers: { ...headers, 'Content-Type': contentType, 'Content-Length': String(length) }, body };
}

async function redirectTo(
  storage: Storage,
  key: string,
  options: StoredFileOptions,
  signal: AbortSignal,
): Promise<Answer> {
  if (storage.capabilities.urls !== 'signed') {
    throw new ConfigurationError(
      "storedFile({ redirect: 'signed' }) needs a storage that signs URLs (capabilities.urls is 'signed'): leave redirect out, or set the storage up to sign.",
    );
  }
  const { redirect, contentType } = options;
  const expiresIn = typeof redirect === 'object' ? redirect.expiresIn : REDIRECT_SECONDS;
  const file = await storage.info(key, { signal });
  const { 'Content-Disposition': shown = 'attachment' } = representation(file, options);
  const location = await storage.url(file.key, {
    expiresIn,
    // a URL has no room for any name
    disposition: shown.length <= MAX_HEADER_BYTES ? shown : (shown.split(';', 1)[0] ?? 'attachment'),
    signal,
    ...(contentType === undefined ? undefined : { contentType }),
  });
  // a link that expires must not be kept longer than it is good
  return { status: 302, headers: { Location: location, 'Cache-Control': 'private, no-store' } };
}
