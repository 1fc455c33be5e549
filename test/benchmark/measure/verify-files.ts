import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileBlocks } from './multipart-body.js';

/** What must be on disk. */
export interface Expected {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Throws unless the folder holds so many files with so many bytes in all, and the newest one is the client's byte for byte. What the
 * filesystem storage keeps for itself is no file of a client's.
 */
export async function verifyFiles(root: string, { files, bytes }: Expected): Promise<void> {
  const found: { readonly path: string; readonly size: number; readonly mtimeMs: number }[] = [];
  for await (const path of filesBelow(root)) {
    const { size, mtimeMs } = await stat(path);
    found.push({ path, size, mtimeMs });
  }
  const size = found.reduce((sum, file) => sum + file.size, 0);
  if (found.length !== files || size !== bytes) {
    throw new Error(`${found.length} files of ${size} bytes are on disk, ${files} of ${bytes} were sent.`);
  }
  const newest = found.reduce((a, b) => (b.mtimeMs >= a.mtimeMs ? b : a));
  await using handle = await open(newest.path);
  let position = 0;
  for (const block of fileBlocks(newest.size)) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(block.length), 0, block.length, position);
    if (bytesRead !== block.length || !buffer.equals(block)) throw new Error(`${newest.path} is not what was sent.`);
    position += block.length;
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === '.storages') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}
