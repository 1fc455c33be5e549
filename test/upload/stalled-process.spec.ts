import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { UploadOptions } from 'nestjs-storages';
import { until } from '../until.js';
import { file, form } from './form.js';
import type { RawClient } from './raw-client.js';
import { UploadApplication } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

/**
 * Sends, and then does what a process does that is suspended, or that others leave no core. At the end of a turn of the event loop: the next
 * one begins with its timers, and comes to its sockets after them.
 */
async function sendAndStandStill({ socket }: RawClient, bytes: Buffer, milliseconds: number): Promise<void> {
  await turn();
  socket.write(bytes);
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('A server that has stood still itself', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;
  let client: RawClient;
  let transferred: number;

  async function start(options: UploadOptions): Promise<void> {
    application = await UploadApplication.start({
      storage,
      options: { ...options, onProgress: (progress) => void (transferred = progress.transferred) },
    });
    client = await application.connect();
  }

  beforeEach(() => {
    storage = new WatchedStorage();
    transferred = 0;
  });

  afterEach(async () => {
    client.destroy();
    await application.close();
    jest.restoreAllMocks();
  });

  it('does not take a client for idle whose bytes have come meanwhile', async () => {
    await start({ idleTimeout: 100 });
    const body = form(file(Buffer.alloc(100_000)));
    client.head({ 'Content-Length': String(body.length) });
    await client.send(body.subarray(0, 50_000));
    await until('the first half has come', () => transferred === 50_000);
    await sendAndStandStill(client, body.subarray(50_000), 200);
    expect((await client.answer()).status).toBe(201);
  });

  it('does not give up the connection of a refused body whose rest has come meanwhile', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    await start({ limits: { fileSize: 1000 } });
    const body = form(file(Buffer.alloc(100_000)));
    client.head({ 'Content-Length': String(body.length) });
    await client.send(body.subarray(0, 50_000));
    await until('it waits for the rest', () => timers.mock.calls.some(([, milliseconds]) => milliseconds === 500));
    await sendAndStandStill(client, body.subarray(50_000), 600);
    const { status, headers } = await client.answer();
    expect([status, headers.get('connection')]).toEqual([413, 'keep-alive']);
  });
});
