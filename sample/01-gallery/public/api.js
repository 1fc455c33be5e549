// The four requests of this page. Uploads are in upload-queue.js, for their progress.

/** Where uploads go to and the listing comes from. */
export const FILES = 'api/files';

/** A key may hold any character, so each part of it is encoded on its own and only the slashes stay. */
const pathOf = (key) => key.split('/').map(encodeURIComponent).join('/');

export const downloadUrl = (file) => `${FILES}/${pathOf(file.key)}`;

/** With the version in it, so that a browser never shows the old picture of a new file. */
export const previewUrl = (file) => `api/previews/${pathOf(file.key)}?v=${encodeURIComponent(file.etag)}`;

/** Every file, one page of the listing after the other. */
export async function* listFiles() {
  let after = null;
  do {
    const response = await fetch(after === null ? FILES : `${FILES}?after=${encodeURIComponent(after)}`);
    if (!response.ok) throw new Error(problemOf(response.status, await response.text()));
    const { items, next } = await response.json();
    yield* items;
    after = next;
  } while (after !== null);
}

/** A file that is already gone counts as deleted. */
export async function deleteFile(file) {
  const response = await fetch(downloadUrl(file), { method: 'DELETE' });
  if (!response.ok && response.status !== 404) throw new Error(problemOf(response.status, await response.text()));
}

/** What the server says went wrong: the message of its JSON, else the status. */
export function problemOf(status, text) {
  try {
    const { message } = JSON.parse(text);
    if (typeof message === 'string' && message !== '') return message;
    if (Array.isArray(message) && message.length > 0) return message.join(' ');
  } catch {
    // not JSON: a proxy's own page, for one
  }
  return status === 413 ? 'The file is too large.' : `The server answered with status ${status}.`;
}
