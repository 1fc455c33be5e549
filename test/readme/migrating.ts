import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DynamicModule } from '@nestjs/common';
import { StorageModule, type Storage, type StoredFile } from 'nestjs-storages';
import { S3Storage, type S3StorageConfig } from 'nestjs-storages/s3';

// #region multer-s3
export function uploadsInBucket(connection: Pick<S3StorageConfig, 'client' | 'bucket'>): DynamicModule {
  // the client that multer-s3 was given will do; without one, the SDK's own chain finds region and credentials
  return StorageModule.forRoot({ storages: { photos: new S3Storage({ ...connection, prefix: 'photos' }) } });
}
// #endregion

// #region flydrive
export async function asWithFlydrive(
  disk: Storage,
  video: Readable,
  target: NodeJS.WritableStream,
): Promise<StoredFile> {
  await disk.put('notes/a.txt', 'text'); // put
  await disk.put('videos/a.mp4', video); // putStream
  const text = (await disk.getBytes('notes/a.txt')).toString('utf8'); // get
  await pipeline(await disk.get('videos/a.mp4'), target); // getStream
  const { size, contentType, etag, lastModified } = await disk.info('videos/a.mp4'); // getMetaData
  await disk.copy('notes/a.txt', 'notes/b.txt');
  await disk.move('notes/b.txt', 'notes/c.txt');
  await disk.delete('notes/missing.txt', { force: true }); // without force a missing file is an error
  await disk.deletePrefix('videos/'); // deleteAll
  const keys: string[] = [];
  for await (const file of disk.list('notes/')) keys.push(file.key); // listAll, without pages to ask for
  return disk.put('report.json', JSON.stringify({ text, size, contentType, etag, lastModified, keys }));
}
// #endregion

// #region nestjs-storage
export async function asWithNestStorage(disk: Storage, range: { start: number; end: number }): Promise<StoredFile> {
  const file = await disk.put('a.txt', 'hello world', { size: 11 }); // contentLength
  const part = await disk.get(file.key, {
    range: { offset: range.start, length: range.end - range.start + 1 }, // { start, end }
  });
  const text = (await part.toArray()).join(''); // get() is the stream itself: no body in it, but file and range
  let last = '';
  let page: StoredFile[];
  do {
    page = [];
    // a cursor is the last key: it needs no keeping, and outlives changes
    for await (const entry of disk.list('', { limit: 1000, startAfter: last })) page.push(entry);
    last = page.at(-1)?.key ?? last;
  } while (page.length === 1000);
  return disk.put('b.txt', `${text} ${last}`);
}
// #endregion

// #region move-files
/** Copies everything, or goes on where it was cut short: what is there already is left alone. */
export async function copyAll(from: Storage, to: Storage): Promise<number> {
  let copied = 0;
  for await (const { key } of from.list()) {
    if (await to.exists(key)) continue;
    const stream = await from.get(key);
    const { contentType, metadata, cacheControl, size } = stream.file;
    await to.put(key, stream, { contentType, metadata, cacheControl, size, ifNoneMatch: '*' });
    copied++;
  }
  return copied;
}
// #endregion
