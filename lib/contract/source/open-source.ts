import { Blob } from 'node:buffer';
import { Readable } from 'node:stream';
import { types } from 'node:util';
import { FileTooLargeError, InvalidArgumentError } from '../errors/index.js';
import {
  ByteChecks,
  BytesSource,
  CheckedIterable,
  type CheckedSource,
  CheckedStream,
  closeIterator,
  type SourceChecks,
} from './checked-source.js';
import { hearErrors } from './hear-errors.js';

/** The body of a put as the hooks get it. */
export interface OpenedSource {
  readonly stream: Readable;
  /** The whole body, where it was in memory. */
  readonly bytes: Buffer | undefined;
  /** The length, where it is known. */
  readonly size: number | undefined;
  /** Calls back when somebody reads bytes that are in memory; at once where they come from elsewhere. */
  whenRead(callback: () => void): void;
  /** The source's own failure, if what a hook rejected with came from the source. */
  failure(error: unknown): Error | undefined;
}

/**
 * Turns what a caller gives as a body into one byte stream that keeps its checks.
 *
 * @param direct hand a Node stream that needs no check on as it is, for hooks that never destroy it with an error of their own
 * @throws {@link InvalidArgumentError} for what is no body, or one that was consumed already
 */
export function openSource(data: unknown, checks: SourceChecks, direct: boolean): OpenedSource {
  const bytes = bytesInMemory(data);
  if (bytes !== undefined) return openBytes(bytes, checks);
  if (isNodeStream(data)) {
    refuseConsumed(data);
    const plain = !data.readableObjectMode && data.readableEncoding === null;
    const unchecked = Object.values(checks).every((check) => check === undefined);
    if (direct && plain && unchecked) {
      // from now on: an error that nobody hears would end the process
      hearErrors(data);
      return {
        stream: data,
        bytes: undefined,
        size: undefined,
        whenRead: atOnce,
        failure: (error) => data.errored ?? prematureClose(error),
      };
    }
    return opened(new CheckedStream(data, checks), checks.size);
  }
  if (data instanceof Blob) {
    return opened(
      new CheckedIterable(data.stream(), { ...checks, size: checks.size ?? data.size }),
      checks.size ?? data.size,
    );
  }
  if (isAsyncIterable(data)) {
    refuseTakenWebStream(data);
    return opened(new CheckedIterable(data, checks), checks.size);
  }
  throw new InvalidArgumentError(
    'The body must be a Buffer, Uint8Array, string, Node stream, async iterable, web ReadableStream or Blob, ' +
      `not ${data === null ? 'null' : Array.isArray(data) ? 'an array' : typeof data}.`,
  );
}

/** Destroys a body that will not be stored, whether or not it was opened. */
export function discardSource(data: unknown, source: OpenedSource | undefined): void {
  if (source !== undefined) hearErrors(source.stream).destroy();
  if (isNodeStream(data)) {
    hearErrors(data).destroy();
  } else if (source === undefined && isAsyncIterable(data) && (data as { locked?: unknown }).locked !== true) {
    void closeUnread(data);
  }
}

async function closeUnread(iterable: AsyncIterable<unknown>): Promise<void> {
  try {
    await closeIterator(iterable[Symbol.asyncIterator]());
  } catch {
    // one that gives no iterator has nothing to close
  }
}

function opened(stream: CheckedSource, size: number | undefined): OpenedSource {
  hearErrors(stream);
  return { stream, bytes: undefined, size, whenRead: atOnce, failure: () => stream.failure };
}

function openBytes(bytes: Buffer, checks: SourceChecks): OpenedSource {
  if (checks.size !== undefined || checks.checksum !== undefined || checks.onProgress !== undefined) {
    const size = checks.size;
    const byteChecks = new ByteChecks({ ...checks, size: size ?? bytes.length });
    byteChecks.add(bytes);
    byteChecks.end();
  } else if (checks.maxSize !== undefined && bytes.length > checks.maxSize) {
    throw new FileTooLargeError(`This storage takes files of at most ${checks.maxSize} bytes.`);
  }
  const stream = new BytesSource(bytes);
  return {
    stream,
    bytes,
    size: bytes.length,
    whenRead: (callback) => {
      stream.whenRead(callback);
    },
    failure: () => undefined,
  };
}

function atOnce(callback: () => void): void {
  callback();
}

/** What Node's own readers say when a source closes before its end without an error. */
function prematureClose(error: unknown): Error | undefined {
  // not instanceof: an error of Node's own may be of another realm
  return types.isNativeError(error) && (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
    ? error
    : undefined;
}

function bytesInMemory(data: unknown): Buffer | undefined {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (Buffer.isBuffer(data)) return data;
  if (types.isUint8Array(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}

function isNodeStream(value: unknown): value is Readable {
  return value instanceof Readable;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A web stream that was read before gives the rest, or nothing at all, without a word. */
function refuseTakenWebStream(iterable: AsyncIterable<unknown>): void {
  if ((iterable as { locked?: unknown }).locked === true) {
    throw new InvalidArgumentError(
      'The body is a web stream that is locked to another reader: it cannot be read here.',
    );
  }
  // of anything but a stream it says false
  if (Readable.isDisturbed(iterable as unknown as NodeJS.ReadableStream)) {
    throw new InvalidArgumentError(
      'The body is a web stream that was read or cancelled before: it cannot be read again.',
    );
  }
}

function refuseConsumed(stream: Readable): void {
  if (stream.destroyed || stream.readableEnded || stream.errored !== null) {
    throw new InvalidArgumentError(
      'The body is a stream that was destroyed or read to its end before: it cannot be read again.',
    );
  }
}
