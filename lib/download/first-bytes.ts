import type { Readable } from 'node:stream';
import { StorageError } from '../contract/index.js';

/** Waits until the first bytes of a stream are there, or its end. @throws what the stream fails with before them */
export async function firstBytesOf<T extends Readable>(stream: T): Promise<T> {
  if (stream.errored !== null) throw stream.errored;
  // begins to read: what has its bytes already need not be waited for
  stream.read(0);
  if (stream.readableLength > 0 || stream.readableEnded) return stream;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('readable', onReadable).off('error', onError).off('close', onClose);
    };
    const onReadable = (): void => {
      settle();
      resolve(stream);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onClose = (): void => {
      settle();
      reject(new StorageError('The storage closed the file before its first byte.'));
    };
    stream.on('readable', onReadable).on('error', onError).on('close', onClose);
  });
}
