import { randomBytes } from 'node:crypto';

const BLOCK = randomBytes(1024 * 1024);
const BOUNDARY = '----benchmark7MA4YWxkTrZu0gW';
/** A body up to this size is one buffer, sent by one write. */
const ONE_BUFFER = 4 * 1024 * 1024;

/**
 * A multipart form of files of the same size, prepared before anything is measured: the client, which may have only the other one of
 * two cores, just writes buffers. Every file's bytes are one block of 1 MiB over and over, so that 4 GiB need no memory.
 */
export class MultipartBody {
  readonly contentType = `multipart/form-data; boundary=${BOUNDARY}`;
  readonly length: number;
  readonly chunks: readonly Buffer[];

  constructor(
    readonly files: number,
    readonly fileSize: number,
  ) {
    const chunks = Array.from({ length: files }, (_, i) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file-${i}.bin"\r\n` +
          'Content-Type: application/octet-stream\r\n\r\n',
      ),
      ...fileBlocks(fileSize),
      Buffer.from('\r\n'),
    ]).flat();
    chunks.push(Buffer.from(`--${BOUNDARY}--\r\n`));
    this.length = chunks.reduce((length, chunk) => length + chunk.length, 0);
    this.chunks = this.length > ONE_BUFFER ? chunks : [Buffer.concat(chunks)];
  }
}

/** What a file of this size holds, in pieces of up to 1 MiB. */
export function* fileBlocks(fileSize: number): Generator<Buffer> {
  for (let left = fileSize; left > 0; left -= BLOCK.length)
    yield left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
}
