import { ConflictException, Logger, Controller, Module, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectionError, Storage, StorageFileInterceptor, type StoredUpload } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { file } from './form.js';
import { ModuleApplication } from './module-application.js';
import { WatchedStorage } from './watched-storage.js';

/** Between the tries, in milliseconds. */
const PAUSES = [1000, 10_000, 60_000, 600_000];

describe('A file of a failed upload that the storage would not remove', () => {
  let inner: WatchedStorage;
  let storage: FaultyStorage;
  let application: ModuleApplication;
  let logged: string[];

  beforeEach(async () => {
    logged = [];
    for (const level of ['error', 'log', 'debug'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => {
        logged.push(`${level}: ${String(message)}`);
      });
    }
    inner = new WatchedStorage();
    storage = new FaultyStorage(inner);

    @Controller()
    class FailingController {
      @Post('one')
      @UseInterceptors(StorageFileInterceptor('file', { key: () => 'the key' }))
      one(@UploadedFile() _upload: StoredUpload): never {
        throw new ConflictException('first');
      }

      // every interceptor has a part in the shutdown
      @Post('other')
      @UseInterceptors(StorageFileInterceptor('file'))
      other(): void {
        // nothing to do
      }
    }

    @Module({ controllers: [FailingController], providers: [{ provide: Storage, useFactory: () => storage }] })
    class AppModule {}
    application = await ModuleApplication.start(AppModule);
    logged.length = 0;
  });

  afterEach(async () => {
    storage.clearFaults();
    await application.close();
    jest.restoreAllMocks();
  });

  it('is logged, with its key at debug only, and the client gets the first error', async () => {
    storage.fail('delete', { error: new ConnectionError('gone') });
    expect(await application.post('/one', file('x'))).toMatchObject({ status: 409, body: { message: 'first' } });
    expect(logged).toEqual([
      expect.stringMatching(/^error: .*could not be removed/),
      expect.stringMatching(/^debug: .*could not be removed.*key: the key/),
    ]);
    expect(logged[0]).not.toContain('the key');
    expect(await inner.keys()).toEqual(['the key']);
  });

  it('is removed once more at the shutdown, by one of all interceptors', async () => {
    storage.fail('delete', { on: 1, error: new ConnectionError('gone') });
    await application.post('/one', file('x'));
    expect(await inner.keys()).toEqual(['the key']);
    const removed = jest.spyOn(storage, 'delete');
    await application.close();
    expect(await inner.keys()).toEqual([]);
    expect(removed).toHaveBeenCalledTimes(1);
    expect(logged.filter((line) => line.includes('after all'))).toHaveLength(1);
  });

  it('is tried again after 1, 10, 60 and every 600 seconds, until it is gone', async () => {
    storage.fail('delete', { error: new ConnectionError('gone') });
    const timers = jest.spyOn(globalThis, 'setTimeout');
    await application.post('/one', file('x'));
    const tries: number[] = [];
    for (let round = 0; round < 6; round++) {
      const index = timers.mock.calls.findLastIndex(([, pause]) => PAUSES.includes(Number(pause)));
      const [next, pause] = timers.mock.calls[index] ?? [];
      if (next === undefined) throw new Error('Nothing will be tried again.');
      tries.push(Number(pause));
      // its time comes now, and not again when a second is over
      clearTimeout(timers.mock.results[index]?.value as NodeJS.Timeout);
      timers.mockClear();
      if (round === 5) storage.clearFaults();
      next();
      if (round < 5)
        while (!timers.mock.calls.some(([, later]) => PAUSES.includes(Number(later))))
          await new Promise((resolve) => setImmediate(resolve));
    }
    await inner.untilNothing();
    expect(tries).toEqual([1000, 10_000, 60_000, 600_000, 600_000, 600_000]);
  });
});
