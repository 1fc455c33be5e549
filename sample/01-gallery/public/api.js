// What this page asks of the server.
import { ask, Failure, problemOf } from './transfer.js';

const FILES = 'api/files';

/** A key may hold any character, so each part of it is encoded on its own and only the slashes stay. */
const pathOf = (key) => key.split('/').map(encodeURIComponent).join('/');

export const fileUrl = (file) => `${FILES}/${pathOf(file.key)}`;

/** With the version in it, so that a browser never shows the old picture of a new file. */
export const thumbnailUrl = (file) => `api/thumbnails/${pathOf(file.key)}?v=${encodeURIComponent(file.etag)}`;

/** A stored file with its name, which is the end of its key, and with what a browser may show in place (else `null`). */
export const galleryFile = (stored) => ({
  ...stored,
  name: stored.key.slice(stored.key.lastIndexOf('/') + 1),
  preview: previewOf(stored.contentType),
});

/** The server shows nothing else, whatever a page asks. */
function previewOf(contentType) {
  const [type] = contentType.split(';', 1);
  if (/^image\/(?:avif|bmp|gif|jpeg|png|webp)$/.test(type)) return 'image';
  if (/^video\/(?:mp4|ogg|webm|quicktime)$/.test(type)) return 'video';
  if (/^audio\/(?:aac|flac|mp4|mpeg|ogg|wav|wave|webm|x-wav)$/.test(type)) return 'audio';
  return null;
}

/** One page of the listing, newest first, and what to ask for the next one with (`null` at the end). */
export async function listPage(after) {
  const response = await fetch(after === null ? FILES : `${FILES}?${new URLSearchParams({ after })}`);
  if (!response.ok) throw new Failure(problemOf(response.status, await response.text()));
  const { files, next } = await response.json();
  return { files: files.map(galleryFile), next };
}

/** A file that is already gone counts as deleted. */
export async function deleteFile(file) {
  const response = await fetch(fileUrl(file), { method: 'DELETE' });
  if (!response.ok && response.status !== 404) throw new Failure(problemOf(response.status, await response.text()));
}

/** A link that is good for so many seconds. */
export const shareFile = ({ key }, expiresIn) => ask('api/shares', { key, expiresIn });
