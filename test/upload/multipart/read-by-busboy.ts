import type { Readable } from 'node:stream';
import busboy from 'busboy';

/** A part as busboy tells it. Its bytes are one character each. */
export interface BusboyPart {
  readonly kind: 'file' | 'field';
  readonly name: string | undefined;
  readonly filename: string | undefined;
  readonly encoding: string;
  readonly mimeType: string;
  readonly content: string;
}

export interface BusboyForm {
  /** Those that had ended when busboy failed, or all. */
  readonly parts: readonly BusboyPart[];
  readonly failed: boolean;
}

/** What busboy 1.6 makes of a body, written in one piece. */
export async function readByBusboy(boundary: string, body: Buffer): Promise<BusboyForm> {
  const parts: (BusboyPart | undefined)[] = [];
  let failed = false;
  const parser = busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    defParamCharset: 'utf8',
    // keeps the bytes of a field
    defCharset: 'latin1',
    preservePath: true,
    limits: { fieldSize: Infinity },
  });
  const closed = new Promise<void>((resolve) => {
    parser.once('close', resolve);
    parser.on('error', () => {
      failed = true;
      resolve();
    });
  });
  parser.on('file', (name: string | undefined, bytes: Readable, { filename, encoding, mimeType }) => {
    const index = parts.push(undefined) - 1;
    const chunks: Buffer[] = [];
    const push = bytes.push.bind(bytes);
    // busboy pushes inside of write(), but the stream emits later: this sees the bytes in the order of the other calls
    bytes.push = (chunk: Buffer | null) => {
      if (chunk !== null) chunks.push(chunk);
      else if (!failed) {
        const content = Buffer.concat(chunks).toString('latin1');
        parts[index] = { kind: 'file', name, filename, encoding, mimeType, content };
      }
      return push(chunk);
    };
    bytes.on('error', () => undefined).resume();
  });
  parser.on('field', (name: string | undefined, content, { encoding, mimeType }) => {
    if (!failed) parts.push({ kind: 'field', name, filename: undefined, encoding, mimeType, content });
  });
  parser.write(body);
  parser.end();
  await closed;
  return { parts: parts.filter((part) => part !== undefined), failed };
}
