import { galleryFile } from './api.js';
import { storeThumbnail } from './thumbnail.js';
import { ask, Failure, send } from './transfer.js';

/** How many files are sent at once; more would only make each of them slower. */
const IN_FLIGHT = 3;

/**
 * One file on its way.
 * state: waiting -> sending -> saving -> done, or failed (which may be tried again), or cancelled.
 * `sent` and `size` are bytes, `startedAt` and `problem` belong to the last try.
 */
class Upload {
  state = 'waiting';
  sent = 0;
  startedAt = 0;
  problem = '';
  stored = undefined;
  abort = undefined;

  constructor(file) {
    this.file = file;
    this.name = file.name;
    this.size = file.size;
  }
}

/** Sends files, a few at a time, and dispatches `change` with the upload as `detail` whenever something about one has changed. */
export class UploadQueue extends EventTarget {
  #waiting = [];
  #sending = new Set();

  /** Whether leaving the page now would lose something. */
  get busy() {
    return this.#sending.size > 0 || this.#waiting.length > 0;
  }

  add(files) {
    for (const file of files) this.#enqueue(new Upload(file));
    this.#startNext();
  }

  retry(upload) {
    if (upload.state !== 'failed') return;
    this.#enqueue(upload);
    this.#startNext();
  }

  /** The server removes what it has received so far when the connection breaks off. Also puts a failed upload out of sight. */
  cancel(upload) {
    if (upload.state === 'saving' || upload.state === 'done') return;
    this.#waiting = this.#waiting.filter((other) => other !== upload);
    if (upload.state === 'sending') upload.abort.abort();
    else this.#change(upload, 'cancelled');
  }

  #enqueue(upload) {
    upload.sent = 0;
    upload.problem = '';
    this.#waiting.push(upload);
    this.#change(upload, 'waiting');
  }

  #change(upload, state) {
    upload.state = state;
    this.dispatchEvent(new CustomEvent('change', { detail: upload }));
  }

  #startNext() {
    while (this.#sending.size < IN_FLIGHT && this.#waiting.length > 0) void this.#send(this.#waiting.shift());
  }

  async #send(upload) {
    upload.abort = new AbortController();
    upload.startedAt = performance.now();
    this.#sending.add(upload);
    this.#change(upload, 'sending');
    try {
      upload.stored = await this.#store(upload, upload.abort.signal);
      this.#change(upload, 'done');
    } catch (error) {
      if (upload.abort.signal.aborted) this.#change(upload, 'cancelled');
      else this.#fail(upload, error);
    } finally {
      this.#sending.delete(upload);
      this.#startNext();
    }
  }

  /** Where it may be put, the put, and the thumbnail of a picture. */
  async #store(upload, signal) {
    const { key, upload: where } = await ask('api/uploads', { name: upload.name }, signal);
    const answer = await send(where, upload.file, {
      signal,
      onProgress: (loaded) => {
        upload.sent = loaded;
        this.#change(upload, 'sending');
      },
      onSent: () => {
        upload.sent = upload.size;
        this.#change(upload, 'saving');
      },
    });
    const stored = galleryFile({ ...answer, key });
    if (stored.preview === 'image') await storeThumbnail(key, upload.file, signal);
    return stored;
  }

  #fail(upload, error) {
    upload.problem =
      error instanceof Failure
        ? error.message
        : 'The connection broke off, or the file can no longer be read. Nothing of it was kept.';
    this.#change(upload, 'failed');
  }
}
