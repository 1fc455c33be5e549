import type { Duplex, Readable } from 'node:stream';
import type { IncomingBytes } from './incoming-bytes.js';

/** How far a scanner has come with a file: a number that changes with it, `undefined` while there is nothing for it to take. */
export function progressOfScanner(bytes: IncomingBytes, stream: Readable): () => number | undefined {
  return () =>
    // one that has destroyed its stream knows enough, and owes its verdict
    bytes.ended || stream.destroyed || stream.readableLength > 0 ? bytes.size - stream.readableLength : undefined;
}

/**
 * How far a transform has come, in the same way.
 *
 * @param source what it takes from
 * @param given how many bytes the storage has taken of it
 */
export function progressOfTransform(
  bytes: IncomingBytes,
  source: Readable,
  stream: Duplex,
  given: () => number,
): () => number | undefined {
  return () => {
    // what it has given already waits for the storage; what has ended or failed owes nothing
    if (stream.readableLength > 0 || stream.readableEnded || stream.destroyed) return undefined;
    if (!bytes.ended && source.readableLength === 0 && stream.writableLength === 0) return undefined;
    return bytes.size - source.readableLength + given();
  };
}
