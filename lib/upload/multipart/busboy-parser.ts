import type { Readable, Writable } from 'node:stream';
import busboy from 'busboy';
import type { MultipartListener, ParserOptions, PartHeader } from './multipart-parser.js';

/**
 * How much a file's stream holds before the client has to wait, in bytes. Less makes the storage starve between its writes; more only
 * keeps memory, and what waits longer is promoted by the garbage collector.
 */
const FILE_BUFFER = 256 * 1024;

/** How much of the body waits in front of the parser, in bytes: a few of the socket's chunks, so that not each one pauses the socket. */
const BODY_BUFFER = 128 * 1024;

/** busboy stops at its limit; multer's limits, and ours, are what is still allowed. */
const oneMore = (limit: number): number | undefined => (Number.isFinite(limit) ? limit + 1 : undefined);

/** {@link OpenMultipartParser} by busboy 1.6. Each part's header is bounded by it: 16 KiB and 2,000 pairs. */
export function openBusboyParser(options: ParserOptions, listener: MultipartListener): Writable {
  const { boundary, limits } = options;
  const parser = busboy({
    // written anew from what was checked, so that busboy reads no other boundary than we did
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    defParamCharset: 'utf8',
    preservePath: true,
    highWaterMark: BODY_BUFFER,
    fileHwm: FILE_BUFFER,
    limits: {
      fieldSize: oneMore(limits.fieldSize) ?? Infinity,
      fileSize: oneMore(limits.fileSize),
      parts: oneMore(limits.parts),
    },
  });
  parser
    .on('file', (name: string | undefined, bytes: Readable, { filename, encoding, mimeType }) => {
      const header: PartHeader = { name, filename: filename === '' ? undefined : filename, encoding, mimeType };
      // busboy destroys it with an error when the body breaks off, whether or not somebody reads it by then
      bytes.on('error', () => undefined);
      bytes.once('limit', () => {
        listener.onFileLimit(header, bytes);
      });
      listener.onFile(header, bytes);
    })
    .on('field', (name: string | undefined, value: string | undefined, { encoding, mimeType, valueTruncated }) => {
      listener.onField({ name, filename: undefined, encoding, mimeType }, value, valueTruncated);
    })
    .on('partsLimit', () => {
      listener.onPartsLimit();
    })
    // stays on: busboy goes on emitting after its first error, and again when it is destroyed
    .on('error', (error) => {
      listener.onError(error instanceof Error ? error : new Error('The parser failed.', { cause: error }));
    })
    .on('finish', () => {
      listener.onEnd();
    });
  return parser;
}
