export type { DownloadAnswer } from './download-answer.js';
export { StoredFileAnswer, storedFile } from './stored-file.js';
export type { StoredFileOptions } from './stored-file-options.js';
export { StoredFileInterceptor } from './stored-file.interceptor.js';
export { ArchiveAnswer, archive } from './archive.js';
export type { ArchiveOptions } from './archive-options.js';
