import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { StorageError, type ResolvedRange, type StoredFileStream } from '../contract/index.js';
import { contentRange } from './byte-ranges.js';

/** A body of several ranges: `multipart/byteranges` (RFC 9110, section 14.6). */
export interface RangeParts {
  readonly contentType: string;
  /** Bytes, heads and delimiters included. */
  readonly length: number;
  readonly body: Readable;
}

/** Up to so many bytes between the ranges are read and thrown away, so that one open file, and so one version, serves all of them. */
const MAX_SKIPPED = 8 * 1024 * 1024;

const LINE_END = Buffer.from('\r\n');

/**
 * Ranges that lie near each other come from one stream. Others are opened one after the other, so that a slow client holds one at a time; when
 * the file has been replaced in between, the body breaks off: it never mixes versions.
 *
 * @param open opens a range of the version that the answer tells of
 */
export async function rangeParts(
  ranges: readonly ResolvedRange[],
  open: (range: ResolvedRange) => Promise<StoredFileStream>,
  contentType: string,
  size: number,
): Promise<RangeParts> {
  const boundary = randomBytes(18).toString('base64url');
  const headOf = (range: ResolvedRange): Buffer =>
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`,
      'latin1',
    );
  const end = Buffer.from(`--${boundary}--\r\n`);
  const length = ranges.reduce((sum, range) => sum + headOf(range).length + range.length + LINE_END.length, end.length);

  const groups = grouped(ranges);
  let current = await open(spanOf(groups[0] ?? ranges));
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (const [index, group] of groups.entries()) {
      if (index > 0) current = await open(spanOf(group));
      if (body.destroyed) {
        current.destroy();
        return;
      }
      yield* cut(current, group, headOf);
    }
    yield end;
  }
  const body = Readable.from(parts(), { objectMode: false });
  const destroy = body._destroy.bind(body);
  // at once: the generator's own end would wait for a chunk that may never come
  body._destroy = (error, callback) => {
    current.destroy();
    destroy(error, callback);
  };
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, body };
}

/** Neighbours whose gaps together may be skipped. */
function grouped(ranges: readonly ResolvedRange[]): ResolvedRange[][] {
  const groups: ResolvedRange[][] = [];
  let left = 0;
  let position = 0;
  for (const range of ranges) {
    const gap = range.offset - position;
    const group = groups.at(-1);
    if (group === undefined || gap > left) {
      groups.push([range]);
      left = MAX_SKIPPED;
    } else {
      group.push(range);
      left -= gap;
    }
    position = range.offset + range.length;
  }
  return groups;
}

function spanOf(ranges: readonly ResolvedRange[]): ResolvedRange {
  const offset = ranges[0]?.offset ?? 0;
  const last = ranges.at(-1);
  return { offset, length: last === undefined ? 0 : last.offset + last.length - offset };
}

/** Cuts ranges, each with its head before it, out of the stream of their span. */
async function* cut(
  stream: StoredFileStream,
  ranges: readonly ResolvedRange[],
  headOf: (range: ResolvedRange) => Buffer,
): AsyncGenerator<Uint8Array> {
  const left = ranges.values();
  let range = left.next().value;
  let position = range?.offset ?? 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    const until = position + chunk.length;
    while (range !== undefined && range.offset < until) {
      const last = range.offset + range.length;
      if (range.offset >= position) yield headOf(range);
      yield chunk.subarray(Math.max(range.offset, position) - position, Math.min(last, until) - position);
      if (last > until) break;
      yield LINE_END;
      range = left.next().value;
    }
    position = until;
  }
  if (range !== undefined) throw new StorageError('The storage ended a file before its end.');
}
