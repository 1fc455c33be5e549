import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import type { Storage, StoredFileStream } from 'nestjs-storages';
import { holdsWithin } from '../thread-time.js';
import { DownloadApplication } from './download-application.js';

/** Many times what lies on the way to a client that does not read (Linux holds up to 4 MiB for the sender alone), in bytes. */
const SIZE = 32 * 1024 * 1024;

/** A whole file, a range, two ranges. */
const RANGES = ['', `Range: bytes=1-${SIZE - 2}\r\n`, `Range: bytes=0-1,${SIZE / 4}-${SIZE - 1}\r\n`];

/**
 * Tears clients off in the middle of downloads, and expects nothing of them to be open after a second.
 *
 * @param count of clients
 * @param openBehind how much is open behind the storage's streams: descriptors, sockets
 */
export async function tearClients(
  storage: Storage,
  count: number,
  openBehind: () => number | Promise<number>,
): Promise<void> {
  const opened: StoredFileStream[] = [];
  const get = storage.get.bind(storage);
  storage.get = async (...args) => {
    const stream = await get(...args);
    opened.push(stream);
    return stream;
  };
  await using app = await DownloadApplication.start(storage);
  await storage.put('large', Buffer.alloc(SIZE, 'x'));
  const sockets = await Promise.all(
    Array.from({ length: count }, (_each, i) => begin(app.port, RANGES[i % RANGES.length] ?? '')),
  );
  expect(opened.length).toBeGreaterThanOrEqual(count);
  expect(opened.filter((stream) => stream.closed)).toHaveLength(0);
  for (const socket of sockets) socket.resetAndDestroy();
  const isFree = async (): Promise<boolean> => opened.every((stream) => stream.closed) && (await openBehind()) === 0;
  expect(await holdsWithin(1000, isFree)).toBe(true);
  expect((await app.get('large', { range: 'bytes=0-1' })).status).toBe(206);
}

/** A client that has asked, and reads no more than the beginning. */
async function begin(port: number, range: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /file/large HTTP/1.1\r\nHost: localhost\r\n${range}\r\n`);
  await once(socket, 'readable');
  return socket;
}
