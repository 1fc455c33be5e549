import { NotFoundException, StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import type { Storage } from 'nestjs-storages';
import { nameOf, previewOf } from './gallery-item.js';

/**
 * One stored file as an answer. What a visitor uploaded is a stranger's file: `nosniff` and a sandbox keep a browser from ever
 * running it in the name of this site, and only types that cannot carry a script are shown in place.
 */
export async function fileAnswer(
  storage: Storage,
  key: string,
  disposition: 'attachment' | 'inline',
  response: Response,
): Promise<StreamableFile> {
  const body = await storage.get(key);
  const { file } = body;
  if (disposition === 'inline' && previewOf(file.contentType) === null) {
    body.destroy();
    throw new NotFoundException('This kind of file has no preview. It can be downloaded.');
  }
  // attachment() writes any Unicode name as RFC 6266 wants it, and a type by extension that the next lines replace.
  if (disposition === 'attachment') response.attachment(nameOf(file));
  else response.set('Content-Disposition', 'inline');
  response.set({
    'Content-Type': file.contentType,
    'Content-Length': String(file.size),
    ETag: `"${file.etag}"`,
    'Last-Modified': file.lastModified.toUTCString(),
    'Cache-Control': disposition === 'inline' ? 'private, max-age=3600' : 'private, no-cache',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  // Leaves all headers as they were set, and destroys the stream when the client goes away.
  return new StreamableFile(body);
}
