import { open, unlink, type FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { IntegrityError, QuotaExceededError } from '../errors/index.js';
import type { ResolvedPutOptions } from '../options/options.js';
import { openSource } from '../source/index.js';
import type { StoredFile } from '../stored-file.js';
import type { StagedBytes } from './staged-upload.js';

/** Stages in a spool; the commit is a put from there. */
export async function stageBySpool(
  source: Readable,
  options: ResolvedPutOptions,
  put: (stream: Readable, options: ResolvedPutOptions) => Promise<StoredFile>,
): Promise<StagedBytes> {
  const spooled = await spool(source);
  const { size } = spooled;
  // the signal was the call's that staged; the bytes are in the spool now
  const { bytes: _bytes, signal: _signal, ...rest } = options;
  return {
    size,
    commit: async () => {
      const file = await put(openSource(spooled.read(), { size }, false).stream, { ...rest, size });
      // The file is stored: a temporary that does not close well must not say otherwise.
      await spooled.discard().catch(() => undefined);
      return file;
    },
    abort: () => spooled.discard(),
  };
}

/** Bytes in a local file that has no name any more: it is gone with its descriptor, also when the process dies. */
interface Spool {
  readonly size: number;
  /** Reads the bytes from the start. May be called once. */
  read(): Readable;
  discard(): Promise<void>;
}

/** Reads a source into a spool. Memory holds one chunk. */
async function spool(source: Readable): Promise<Spool> {
  const path = join(tmpdir(), `nestjs-storages-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    const size = await fill(handle, source);
    // the disk is asked, not the counter: a full disk may take less than it was given
    const { size: stored } = await handle.stat();
    if (stored !== size) throw new IntegrityError(`Of ${size} bytes ${stored} were spooled.`);
    return {
      size,
      read: () => handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 }),
      discard: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw isDiskFull(error) ? new QuotaExceededError('The disk for temporary files is full.', { cause: error }) : error;
  }
}

async function fill(handle: FileHandle, source: Readable): Promise<number> {
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, size + written);
      written += bytesWritten;
    }
    size += chunk.length;
  }
  return size;
}

function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
