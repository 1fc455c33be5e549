import { pipeline, type Duplex, type Readable } from 'node:stream';
import { ConfigurationError, type TransferProgress } from '../../contract/index.js';
import { watch, type Patience } from '../callback.js';
import type { IncomingBytes } from './incoming-bytes.js';
import { progressOfTransform } from './progress.js';

/** A stream that a `transform` has given, at work on one file. */
export interface RunningTransform {
  /** What comes out, for the storage to read. */
  readonly stream: Duplex;
  /** The media type of what comes out, where it is another one. */
  readonly contentType: string | undefined;
  /** To be told how much of it the storage has taken. */
  readonly onProgress: (progress: TransferProgress) => void;
  /** Never resolves; rejects when the stream has stood still for too long. */
  readonly late: Promise<never>;
  /** Ends the watch over it. */
  readonly stop: () => void;
}

/**
 * Lets the bytes of a file pass through the stream that a `transform` has given: the end of one is the end of the other, and what fails is told by
 * the storage, which reads the stream.
 *
 * @throws ConfigurationError for what a function in JavaScript may give instead
 */
export function runTransform(
  transform: unknown,
  bytes: IncomingBytes,
  source: Readable,
  patience: Patience,
): RunningTransform {
  const { stream, contentType } = partsOf(transform);
  let given = 0;
  let tellLate: (reason: Error) => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    tellLate = reject;
  });
  late.catch(() => undefined);
  const progress = progressOfTransform(bytes, source, stream, () => given);
  const stop = watch({ ...patience, progress }, (reason) => {
    tellLate(reason);
    stream.destroy(reason);
  });
  pipeline(source, stream, () => undefined);
  const onProgress = ({ transferred }: TransferProgress): void => {
    given = transferred;
  };
  return { stream, contentType, onProgress, late, stop };
}

/** Lets go of what a `transform` has given when nobody waited for it any more. */
export function discardTransform(transform: unknown): void {
  if (transform === undefined) return;
  try {
    partsOf(transform)
      .stream.on('error', () => undefined)
      .destroy();
  } catch {
    // it was no stream: there is nothing to let go of
  }
}

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
