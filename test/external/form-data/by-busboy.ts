import busboy from 'busboy';
import type { Reading, SeenPart } from './reading.js';
import type { Vector } from './vector.js';

/** Reads a vector by busboy, with the settings that Nest's `FileInterceptor` gives it. */
export function readByBusboy({ contentType, body }: Vector): Promise<Reading> {
  return new Promise((resolve) => {
    const refuse = (error: unknown): void => {
      resolve({ refused: error instanceof Error ? error.message : String(error) });
    };
    const parts: (Omit<SeenPart, 'body'> & { body: Buffer })[] = [];
    try {
      const parser = busboy({ headers: { 'content-type': contentType } });
      parser.on('field', (name: string | undefined, value, { mimeType, encoding }) => {
        parts.push({ name, filename: undefined, mimeType, encoding, body: Buffer.from(value) });
      });
      parser.on('file', (name: string | undefined, stream, { filename, mimeType, encoding }) => {
        const part = { name, filename, mimeType, encoding, body: Buffer.alloc(0) };
        parts.push(part);
        stream.on('data', (chunk: Buffer) => {
          part.body = Buffer.concat([part.body, chunk]);
        });
        stream.on('error', refuse);
      });
      parser.on('error', refuse).on('close', () => {
        resolve({ parts });
      });
      parser.end(body);
    } catch (error) {
      refuse(error);
    }
  });
}
