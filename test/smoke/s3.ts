/**
 * What a stranger does with `nestjs-storages/s3` of the installed package. `.ci/smoke` compiles it as `application.ts`, runs it beside the
 * packages that it needs, and once more, with `without`, when they are gone.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isStorage } from 'nestjs-storages';
import { S3Storage } from 'nestjs-storages/s3';

/** Answers a put as S3 does. That S3Storage is right about S3 is proven on real servers; this is about the package. */
async function startServer(): Promise<{
  readonly server: Server;
  readonly endpoint: string;
  readonly bodies: string[];
}> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`);
      response.setHeader('ETag', '"0cc175b9c0f1b6a831c399e269772661"').end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

function storageAt(endpoint: string): S3Storage {
  return new S3Storage({
    bucket: 'bucket',
    endpoint,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    conditions: { createOnly: false, multipart: false, compareAndSwap: false },
  });
}

async function withPackages(): Promise<void> {
  const { server, endpoint, bodies } = await startServer();
  const storage = storageAt(endpoint);
  assert.ok(isStorage(storage));
  assert.equal((await storage.put('a.txt', 'a')).etag, '0cc175b9c0f1b6a831c399e269772661');
  assert.match(bodies.join('\n'), /^PUT \/bucket\/a\.txt\S* a$/);
  assert.match(await storage.url('a.txt'), /X-Amz-Signature=/);
  const { method } = await storage.uploadUrl('b.txt', { expiresIn: '1m', maxSize: 10 });
  assert.equal(method, 'POST');
  await storage.close();
  server.close();
  console.log('put, signed, closed');
}

async function withoutPackages(): Promise<void> {
  await assert.rejects(storageAt('http://127.0.0.1:9').put('a.txt', 'a'), {
    code: 'INVALID_CONFIGURATION',
    message: 'S3Storage needs the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3',
  });
  console.log('named the package that is missing');
}

(process.argv[2] === 'without' ? withoutPackages() : withPackages()).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
