import { FILES, problemOf } from './api.js';

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
  request = undefined;

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
    if (upload.state === 'sending') upload.request.abort();
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
    while (this.#sending.size < IN_FLIGHT && this.#waiting.length > 0) this.#send(this.#waiting.shift());
  }

  #send(upload) {
    // fetch() cannot tell how much of a body has been sent; XMLHttpRequest can.
    const request = new XMLHttpRequest();
    upload.request = request;
    upload.startedAt = performance.now();
    this.#sending.add(upload);

    request.upload.addEventListener('progress', (event) => {
      // The body is a little larger than the file: the multipart headers around it.
      upload.sent = Math.min(upload.size, Math.round((event.loaded / event.total) * upload.size));
      this.#change(upload, 'sending');
    });
    request.upload.addEventListener('load', () => {
      upload.sent = upload.size;
      this.#change(upload, 'saving');
    });
    request.addEventListener('load', () => this.#answered(upload, request));
    request.addEventListener('error', () => {
      this.#fail(upload, 'The connection broke off, or the file can no longer be read. Nothing of it was kept.');
    });
    request.addEventListener('abort', () => this.#change(upload, 'cancelled'));
    request.addEventListener('loadend', () => {
      upload.request = undefined;
      this.#sending.delete(upload);
      this.#startNext();
    });

    const form = new FormData();
    form.append('file', upload.file);
    request.open('POST', FILES);
    request.send(form);
    this.#change(upload, 'sending');
  }

  #answered(upload, request) {
    if (request.status !== 201) {
      this.#fail(upload, problemOf(request.status, request.responseText));
      return;
    }
    try {
      upload.stored = JSON.parse(request.responseText);
    } catch {
      this.#fail(upload, 'The server’s answer could not be read. Reload the page to see whether the file is there.');
      return;
    }
    this.#change(upload, 'done');
  }

  #fail(upload, problem) {
    upload.problem = problem;
    this.#change(upload, 'failed');
  }
}
