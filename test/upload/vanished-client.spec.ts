import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../until.js';
import { BOUNDARY, file, form, partHead } from './form.js';
import { addedDescriptors, ownDescriptors } from './own-descriptors.js';
import { UploadApplication } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

describe('A client that goes away', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;
  let handled: number;

  beforeEach(async () => {
    storage = new WatchedStorage();
    handled = 0;
    application = await UploadApplication.start({ storage, handler: () => ++handled });
  });

  afterEach(async () => {
    await application.close();
  });

  async function expectNothing(): Promise<void> {
    await storage.untilNothing();
    expect(handled).toBe(0);
    expect(await storage.keys()).toEqual([]);
  }

  /** Resolves when the server has closed its side of every connection. */
  async function connectionsClosed(): Promise<void> {
    for (;;) {
      const count = await new Promise<number>((resolve, reject) => {
        application.server.getConnections((error, open) => {
          if (error === null) resolve(open);
          else reject(error);
        });
      });
      if (count === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it.each(['resets', 'closes'] as const)('20 times in the middle of a file, and %s the connection', async (how) => {
    await application.post(file('warm'));
    for (const key of await storage.keys()) await storage.delete(key);
    handled = 0;
    await connectionsClosed();
    const before = ownDescriptors();
    for (let round = 0; round < 20; round++) {
      const client = await application.connect();
      client.head({ 'Content-Length': String(10 * 1024 * 1024) });
      await client.send(Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(round * 100_000)]));
      if (round % 2 === 1) await storage.untilStaging();
      if (how === 'resets') client.socket.resetAndDestroy();
      else client.destroy();
    }
    await connectionsClosed();
    await expectNothing();
    await until('no descriptor is left', () => addedDescriptors(before, ownDescriptors()).length === 0);
  });

  it('at each byte of a small form', async () => {
    const body = form(file('0123456789'), { name: 'a', data: 'b' });
    for (let length = 0; length < body.length; length++) {
      const client = await application.connect();
      client.head({ 'Content-Length': String(body.length) });
      if (length > 0) await client.send(body.subarray(0, length));
      client.destroy();
    }
    await connectionsClosed();
    await expectNothing();
  });

  it('after the closing delimiter and before the end of the body', async () => {
    const client = await application.connect();
    const body = form(file(Buffer.alloc(200 * 1024)));
    client.head({ 'Content-Length': String(body.length + 10) });
    await client.send(body);
    await storage.untilStaging();
    client.destroy();
    await connectionsClosed();
    await expectNothing();
  });

  it('half way, by ending its side only', async () => {
    const client = await application.connect();
    client.head({ 'Content-Length': '100000' });
    await client.send(Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(1000)]));
    client.socket.end();
    await client.closed();
    await expectNothing();
  });

  it('behind a request that is still being handled on the same connection', async () => {
    let hold: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      hold = resolve;
    });
    await application.close();
    application = await UploadApplication.start({
      storage,
      handler: (upload) => {
        if (upload !== undefined) handled++;
        return held;
      },
    });
    const client = await application.connect();
    client.post(form());
    client.head({ 'Content-Length': String(1024 * 1024) });
    await client.send(Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(200_000)]));
    await storage.untilStaging();
    client.destroy();
    await expectNothing();
    hold();
  });

  it('while the next good upload is served', async () => {
    const client = await application.connect();
    client.head({ 'Transfer-Encoding': 'chunked' });
    await client.send(`5\r\n--${BOUNDARY.slice(0, 3)}\r\n`);
    client.destroy();
    expect((await application.post(file('good'))).status).toBe(201);
    expect(await storage.keys()).toHaveLength(1);
  });
});
