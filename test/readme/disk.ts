import { FileSystemStorage, MemoryStorage } from 'nestjs-storages';

// #region memory
/** Thumbnails that can be made again: at most 64 MiB of them. */
export const thumbnails = new MemoryStorage({ maxBytes: 64 * 1024 * 1024 });
// #endregion memory

// #region filesystem
export async function openUploads(root: string): Promise<FileSystemStorage> {
  const uploads = new FileSystemStorage({ root, fileMode: 0o640, directoryMode: 0o750 });
  await uploads.open(); // in a module Nest does it: a root that will not do fails the start
  return uploads;
}

/** For a cron job: what is wrong, as lines for people. */
export async function inspectUploads(uploads: FileSystemStorage): Promise<string[]> {
  await uploads.sweep({ olderThan: '1d' });
  const { problems } = await uploads.check();
  return problems.map(({ kind, message }) => `${kind}: ${message}`);
}
// #endregion filesystem
