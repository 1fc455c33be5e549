/**
 * Takes S3's requests and keeps nothing, in a process of its own: what is measured is the client. Its parent is told the port, and how many
 * requests there were whenever it asks.
 */
import { createServer, type IncomingMessage } from 'node:http';

const answers = {
  begin: '<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>',
  complete:
    '<CompleteMultipartUploadResult><ETag>"00000000000000000000000000000000-1"</ETag></CompleteMultipartUploadResult>',
};
let requests = 0;
const sizes = new Map<string, number>();

const server = createServer((request, response) => {
  requests++;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on('end', () => {
    if (request.method === 'PUT') sizes.set(pathname, (sizes.get(pathname) ?? 0) + length);
    if (request.method === 'HEAD') {
      response
        .setHeader('content-length', sizes.get(pathname) ?? 0)
        .setHeader('last-modified', new Date().toUTCString());
    }
    response.setHeader('etag', `"00000000000000000000000000000000${request.method === 'HEAD' ? '-1' : ''}"`);
    response.end(bodyOf(request, searchParams));
  });
});

function bodyOf({ method }: IncomingMessage, query: URLSearchParams): string | undefined {
  if (method !== 'POST') return undefined;
  return query.has('uploads') ? answers.begin : answers.complete;
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('message', () => {
  process.send?.({ requests });
  requests = 0;
  sizes.clear();
});
process.on('disconnect', () => process.exit());
