import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QuotaExceededError } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { file, form, partHead } from './form.js';
import { UploadApplication } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const large = Buffer.alloc(400_000, 7);

describe('An upload to a storage that misbehaves', () => {
  let inner: WatchedStorage;
  let storage: FaultyStorage;
  let application: UploadApplication;

  beforeEach(async () => {
    inner = new WatchedStorage();
    storage = new FaultyStorage(inner);
    application = await UploadApplication.start({ storage, options: { limits: { fileSize: 500_000 } } });
  });

  afterEach(async () => {
    storage.clearFaults();
    await application.close();
  });

  async function expectNothing(): Promise<void> {
    expect(await inner.keys()).toEqual([]);
    expect({ staged: inner.staged, staging: inner.staging }).toEqual({ staged: 0, staging: 0 });
  }

  it.each([0, 1, 64 * 1024, 300_000])(
    'and fails after %i bytes is answered, and nothing is left',
    async (afterBytes) => {
      storage.failReading('stage', { afterBytes, error: new QuotaExceededError('full') });
      expect((await application.post(file(large))).status).toBe(507);
      await expectNothing();
    },
  );

  it('and takes only a part of the file is answered with 500, and nothing is left', async () => {
    storage.endEarly('stage', { afterBytes: 100_000 });
    expect(await application.post(file(large))).toMatchObject({ status: 500, body: { code: 'STORAGE_FAILURE' } });
    await expectNothing();
  });

  it('and does not heed the end of the request leaves nothing', async () => {
    storage.settleAfterAbort('stage');
    expect((await application.post(file('small', 'file'), file('second', 'wrong'))).status).toBe(400);
    await inner.untilNothing();
  });

  it('and waits holds the client back without growing, and takes the file when it goes on', async () => {
    const gate = storage.hold('stage', { afterBytes: 100_000 });
    const client = await application.connect();
    client.post(form(file(large)));
    await gate.reached;
    gate.release();
    expect((await client.answer()).status).toBe(201);
    client.destroy();
  });

  it('and takes its time is waited for before the handler runs', async () => {
    const gate = storage.hold('stage', { when: 'after' });
    const client = await application.connect();
    client.post(form(file('small')));
    await gate.reached;
    // whatever else the request waits for has come by then
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(await inner.keys()).toEqual([]);
    gate.release();
    expect(await client.answer()).toMatchObject({ status: 201, body: { file: { size: 5 } } });
    client.destroy();
  });

  it('and heeds its signal is not waited for when the request has failed', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const gate = storage.hold('stage');
    const body = form(file('small'), file('second', 'wrong'));
    const half = body.indexOf('second') - 1;
    const client = await application.connect();
    client.head({ 'Content-Length': String(body.length) });
    await client.send(body.subarray(0, half));
    await gate.reached;
    await client.send(body.subarray(half));
    expect((await client.answer()).status).toBe(400);
    client.destroy();
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    await expectNothing();
  });

  it('and never settles does not keep the answer from the client for more than some seconds', async () => {
    const called = new Promise<void>((resolve) => {
      jest.spyOn(storage, 'stage').mockImplementationOnce(() => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    const body = form(file('small'), file('second', 'wrong'));
    const half = body.indexOf('second') - 1;
    const client = await application.connect();
    client.head({ 'Content-Length': String(body.length) });
    await client.send(body.subarray(0, half));
    await called;
    await client.send(body.subarray(half));
    expect(await client.answer()).toMatchObject({ status: 400, body: { code: 'LIMIT_UNEXPECTED_FILE' } });
    client.post(form(file('next')));
    expect((await client.answer()).status).toBe(201);
    client.destroy();
  });

  it('and never settles does not keep the server from the next request', async () => {
    const fault = storage.hang('stage', { on: 1 });
    const client = await application.connect();
    client.head({ 'Content-Length': '1000000' });
    await client.send(Buffer.concat([partHead({ name: 'file', filename: 'a' }), large.subarray(0, 100_000)]));
    while (fault.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    client.destroy();
    expect((await application.post(file('next'))).status).toBe(201);
  });
});
