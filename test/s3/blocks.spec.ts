import { createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BLOCK, BlockPool } from '../../lib/backends/s3/block-pool.js';
import { SlicedBody } from '../../lib/backends/s3/sliced-body.js';

describe('The blocks of an upload', () => {
  let pool: BlockPool;
  let server: Server;
  let received = Buffer.alloc(0);

  beforeAll(async () => {
    server = createServer((message, response) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        received = Buffer.concat(chunks);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });
  beforeEach(() => {
    pool = new BlockPool(8 * BLOCK);
    pool.begin();
  });

  /** Bytes that tell where they lie. */
  const bytesOf = (size: number): Buffer => Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));

  const bodyOf = (bytes: Buffer, chunk: number): SlicedBody => {
    const body = new SlicedBody('md5', pool);
    for (let at = 0; at < bytes.length; at += chunk) {
      const slice = Uint8Array.prototype.slice.call(bytes, at, at + chunk);
      body.add(slice);
    }
    return body;
  };

  const send = async (body: SlicedBody): Promise<void> => {
    const { port } = server.address() as AddressInfo;
    const message = request({ port, method: 'PUT', headers: { 'content-length': body.size } });
    body.read(() => undefined).pipe(message);
    const [answer] = (await once(message, 'response')) as [NodeJS.ReadableStream];
    answer.resume();
    await once(answer, 'end');
  };

  it.each([1000, 65_536, 65_537, BLOCK, BLOCK + 1, 3 * BLOCK + 5])(
    'hold the bytes as they came, in chunks of %i',
    async (chunk) => {
      const bytes = bytesOf(3 * BLOCK + 12_345);
      await send(bodyOf(bytes, chunk));
      expect(received.equals(bytes)).toBe(true);
    },
  );

  it('are used again when the request has ended', async () => {
    const first = bodyOf(bytesOf(3 * BLOCK + 1), 65_536);
    await send(first);
    expect(pool.freeBytes).toBe(0);
    first.release();
    expect(pool.freeBytes).toBe(3 * BLOCK);
    const other = bytesOf(2 * BLOCK).reverse();
    const second = bodyOf(other, 50_000);
    expect(pool.freeBytes).toBe(BLOCK);
    await send(second);
    expect(received.equals(other)).toBe(true);
  });

  it('are not used again while a connection may read them', async () => {
    const unread = bodyOf(bytesOf(2 * BLOCK), 65_536);
    unread.release();
    expect(pool.freeBytes).toBe(0);
    const twice = bodyOf(bytesOf(2 * BLOCK), 65_536);
    twice.read(() => undefined);
    await send(twice);
    twice.release();
    expect(pool.freeBytes).toBe(0);
    const elsewhere = bodyOf(bytesOf(2 * BLOCK), 65_536);
    for await (const _ of elsewhere.read(() => undefined));
    elsewhere.release();
    expect(pool.freeBytes).toBe(0);
  });

  it('are no more than the uploads may need, and none when none is under way', async () => {
    const body = bodyOf(bytesOf(10 * BLOCK), 65_536);
    await send(body);
    body.release();
    expect(pool.freeBytes).toBe(8 * BLOCK);
    pool.begin();
    pool.end();
    expect(pool.freeBytes).toBe(8 * BLOCK);
    pool.end();
    expect(pool.freeBytes).toBe(0);
  });
});
