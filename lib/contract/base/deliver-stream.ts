import type { Readable } from 'node:stream';
import { type StorageError, type StorageClosedError } from '../errors/index.js';
import type { GetOptions, ResolvedGetOptions } from '../options/options.js';
import { checkReadConditions } from '../resolve-read.js';
import { CheckedStream } from '../source/index.js';
import type { ResolvedRange, StoredFile, StoredFileStream } from '../stored-file.js';
import { onAbort } from './abort.js';
import type { Lifecycle, Releasable } from './lifecycle.js';

export interface OpenedFile {
  readonly file: StoredFile;
  readonly range?: ResolvedRange | undefined;
  readonly body: Readable;
}

/** A backend decides the conditions itself; one that forgot must not hand out another version than was meant. */
export async function openChecked(opening: Promise<OpenedFile>, options: ResolvedGetOptions): Promise<OpenedFile> {
  const opened = await opening;
  try {
    checkReadConditions(opened.file, options);
    return opened;
  } catch (error) {
    opened.body.on('error', () => undefined).destroy();
    throw error;
  }
}

/**
 * Makes the stream that `get` resolves to out of a backend's body: no stream more than the backend's own, unless progress is
 * asked for. Errors become storage errors, the signal and the storage's end destroy it, and nobody has to listen.
 */
export function deliverStream(
  opened: OpenedFile,
  options: GetOptions,
  lifecycle: Lifecycle,
  wrap: (error: unknown) => StorageError,
): StoredFileStream {
  const { file, range } = opened;
  const stream =
    options.onProgress === undefined
      ? opened.body
      : new CheckedStream(opened.body, { size: range?.length ?? file.size, onProgress: options.onProgress });

  wrapErrors(stream, wrap);
  // An abandoned or unread stream that fails must not end the process; a reader hears its error all the same.
  stream.on('error', () => undefined);

  const resource: Releasable = {
    release: (reason: StorageClosedError) => {
      stream.destroy(reason);
    },
  };
  lifecycle.hold(resource);
  const off = onAbort(options.signal, (error) => {
    stream.destroy(error);
  });
  stream.once('close', () => {
    off();
    lifecycle.drop(resource);
  });

  Object.defineProperty(stream, 'file', { value: file, enumerable: true });
  if (range !== undefined)
    Object.defineProperty(stream, 'range', { value: Object.freeze({ ...range }), enumerable: true });
  return stream as StoredFileStream;
}

/** Errors that a backend's stream meets after `get` has resolved pass through the same mapping as all others. */
function wrapErrors(stream: Readable, wrap: (error: unknown) => StorageError): void {
  // What destroys it: Node keeps it in `errored`, where a reader that comes later finds it.
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error?: Error | null) => destroy(error === undefined || error === null ? undefined : wrap(error));
  // What goes wrong while it closes.
  const close = stream._destroy.bind(stream);
  stream._destroy = (error, callback) => {
    close(error, (late) => {
      callback(late === null || late === undefined || late === error ? error : wrap(late));
    });
  };
}
