import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { PreconditionFailedError, type Storage } from 'nestjs-storages';

export async function store(storage: Storage, path: string): Promise<void> {
  // #region put
  const file = await storage.put('reports/2026/q3.pdf', createReadStream(path), {
    contentType: 'application/pdf', // else by the key's extension
    metadata: { author: 'Ada Lovelace' },
    ifNoneMatch: '*', // create only: FileExistsError where there is one already
    signal: AbortSignal.timeout(60_000),
  });
  console.log(file.key, file.size, file.etag, file.lastModified);
  // #endregion
}

export async function read(storage: Storage, target: Writable): Promise<void> {
  // #region read
  const text = (await storage.getBytes('notes/today.txt')).toString('utf8');

  const stream = await storage.get('videos/talk.mp4', { range: { offset: 0, length: 1024 } });
  console.log(stream.file.contentType, stream.file.size, stream.range);
  await pipeline(stream, target); // back-pressure, and released when the target goes away
  // #endregion
  console.log(text);
}

export async function list(storage: Storage): Promise<string[]> {
  const seen: string[] = [];
  // #region list
  for await (const file of storage.list('reports/2026/', { limit: 100 })) {
    console.log(file.key, file.size, file.contentType);
  }

  // one level, as a folder is shown
  for await (const entry of storage.listEntries('reports/')) {
    seen.push(entry.kind === 'file' ? entry.file.key : entry.prefix);
  }
  // #endregion
  return seen;
}

export async function remove(storage: Storage): Promise<void> {
  // #region delete
  await storage.delete('notes/today.txt');
  await storage.delete('notes/today.txt', { force: true }); // a missing file is no error

  const { deleted, failed } = await storage.deletePrefix('reports/2026/');
  for (const { key, error } of failed) console.error(key, error.code);
  console.log(deleted.length);
  // #endregion
}

// #region compare-and-swap
export async function increment(storage: Storage, key: string): Promise<number> {
  for (;;) {
    const { etag } = await storage.info(key);
    try {
      const next = Number(await storage.getBytes(key, { ifMatch: etag })) + 1;
      await storage.put(key, String(next), { ifMatch: etag });
      return next;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error; // somebody was faster: look again
    }
  }
}
// #endregion

// #region stage
export async function publishBoth(storage: Storage, video: Uint8Array, subtitles: Uint8Array): Promise<void> {
  await using first = await storage.stage('talk.mp4', video);
  await using second = await storage.stage('talk.vtt', subtitles);
  // both are whole and on the disk, and nobody sees either: leaving here by an error removes them
  await first.commit();
  await second.commit();
}
// #endregion
