import type { Readable } from 'node:stream';

/** How much of a file is looked at before the storage gets it, in bytes. A file that ends before is small: it needs no stream. */
export const HEAD_BYTES = 64 * 1024;

/** The beginning of a file. */
export interface PartHead {
  readonly bytes: Buffer;
  /** Whether these are all bytes of the file. If not, they have been put back: the stream begins with them. */
  readonly whole: boolean;
}

/**
 * Reads the first 64 KiB of a file, or all of it, without a stream in between.
 *
 * @throws the stream's own error
 */
export function readHead(part: Readable): Promise<PartHead> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (): void => {
      for (let chunk: unknown; (chunk = part.read()) !== null;) {
        chunks.push(chunk as Buffer);
        length += (chunk as Buffer).length;
      }
      if (length < HEAD_BYTES) return;
      const bytes = joined();
      // before the end can be told: it comes again after these bytes
      part.unshift(bytes);
      settle({ bytes, whole: false });
    };
    const end = (): void => {
      settle({ bytes: joined(), whole: true });
    };
    const close = (): void => {
      off();
      reject(part.errored ?? new Error('The part closed before its end.'));
    };
    const joined = (): Buffer => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const off = (): void => {
      part.off('readable', take).off('end', end).off('close', close);
    };
    const settle = (head: PartHead): void => {
      off();
      resolve(head);
    };
    if (part.destroyed) close();
    else part.on('readable', take).on('end', end).on('close', close);
  });
}
