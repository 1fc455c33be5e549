import { StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import type { Readable } from 'node:stream';

/**
 * A file as a download under its own name. It may be a stranger's: `nosniff` and a sandbox keep a browser from ever running it in the name of this
 * site.
 */
export function attachment(
  response: Response,
  { name, contentType, size, body }: { name: string; contentType: string; size: number; body: Readable },
): StreamableFile {
  // writes any Unicode name as RFC 6266 wants it, and a type by extension that the next lines replace
  response.attachment(name);
  response.set({
    'Content-Type': contentType,
    'Content-Length': String(size),
    'Cache-Control': 'private, no-cache',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  // Leaves all headers as they were set, and destroys the stream when the client goes away.
  return new StreamableFile(body);
}
