import { randomBytes } from 'node:crypto';

const BLOCK = randomBytes(1024 * 1024);

/** A multipart form of files of the same size, made as it is sent: the client holds one block of 1 MiB. */
export class MultipartBody {
  readonly boundary = '----benchmark7MA4YWxkTrZu0gW';
  readonly contentType = `multipart/form-data; boundary=${this.boundary}`;
  readonly length: number;
  readonly #files: number;
  readonly #fileSize: number;

  constructor(files: number, fileSize: number) {
    this.#files = files;
    this.#fileSize = fileSize;
    this.length = 0;
    for (let i = 0; i < files; i++) this.length += this.#head(i).length + fileSize + 2;
    this.length += this.#tail().length;
  }

  *chunks(): Generator<Buffer> {
    for (let i = 0; i < this.#files; i++) {
      yield this.#head(i);
      for (let left = this.#fileSize; left > 0; left -= BLOCK.length)
        yield left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      yield Buffer.from('\r\n');
    }
    yield this.#tail();
  }

  #head(i: number): Buffer {
    return Buffer.from(
      `--${this.boundary}\r\nContent-Disposition: form-data; name="file"; filename="file-${i}.bin"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    );
  }

  #tail(): Buffer {
    return Buffer.from(`--${this.boundary}--\r\n`);
  }
}
