import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { StoredFileStream } from '../contract/index.js';

/** A file on its way into an archive. */
export interface ZipEntry {
  readonly name: string;
  /** From 0 (stored) to 9. */
  readonly level: number;
  readonly stream: StoredFileStream;
}

/**
 * A zip archive as a stream. One file is open at a time, and read no faster than the archive is. When the archive is destroyed the file is closed and
 * the entries are asked for no more; when a file fails the archive does, without the directory at its end, which every reader looks for.
 *
 * @param entries each is asked for when the one before it has been read, and its stream belongs to the archive
 */
export function zipStream(entries: AsyncIterable<ZipEntry>): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const failed = (error: unknown): void => {
    output.destroy(error as Error);
  };
  // whoever reads it hears of it too; abandoned, it must not end the process
  output.on('error', () => undefined);
  zip.on('error', failed);
  fill(zip, output, entries).catch(failed);
  return output;
}

async function fill(zip: ZipFile, output: Readable, entries: AsyncIterable<ZipEntry>): Promise<void> {
  for await (const { name, level, stream } of entries) {
    const { file } = stream;
    const close = (): void => {
      stream.destroy();
    };
    output.once('close', close);
    try {
      if (output.destroyed) return;
      // a stream of another length than the file's is an error of the archive
      zip.addReadStreamLazy(
        name,
        { mtime: file.lastModified, compressionLevel: level, size: file.size },
        (add: (error: unknown, stream: Readable) => void) => {
          add(null, stream);
        },
      );
      await finished(stream, { writable: false });
    } finally {
      output.off('close', close);
      close();
    }
  }
  zip.end();
}
