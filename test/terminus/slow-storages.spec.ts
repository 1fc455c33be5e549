import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConnectionError, MemoryStorage, StorageModule, type Storage } from 'nestjs-storages';
import { StorageHealthIndicator, StorageHealthModule } from 'nestjs-storages/terminus';
import { FakeStorage, FaultyStorage } from 'nestjs-storages/testing';
import { pass, settle, stopTime } from '../wrappers/fake-time.js';
import { keysOf } from './health-application.js';

const HOUR = 3_600_000;
const TIMED_OUT = { uploads: { status: 'down', mode: 'write', responseTime: expect.any(Number), code: 'TIMEOUT' } };
const UP = { uploads: { status: 'up', mode: 'write', responseTime: expect.any(Number) } };
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

let memory: MemoryStorage;
let faulty: FaultyStorage;
let app: TestingModule;
let health: StorageHealthIndicator;

async function start(storage: Storage): Promise<StorageHealthIndicator> {
  app = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { uploads: storage } }), StorageHealthModule],
  })
    .setLogger(SILENT)
    .compile();
  await app.init();
  return app.get(StorageHealthIndicator);
}

beforeEach(async () => {
  stopTime();
  memory = new MemoryStorage();
  faulty = new FaultyStorage(memory);
  health = await start(faulty);
});

afterEach(async () => {
  faulty.clearFaults();
  await app.close();
  const timers = jest.getTimerCount();
  jest.useRealTimers();
  jest.restoreAllMocks();
  expect(timers).toBe(0);
});

describe('a storage that is slow', () => {
  it.each(['put', 'getBytes', 'delete'] as const)(
    'in %s is down when the time is over, not before, and its call is aborted',
    async (method) => {
      const gate = faulty.hold(method, { on: 1 });
      let result: unknown;
      void health.check('uploads', { timeout: 2_000 }).then((found) => (result = found));
      await gate.reached;
      await pass(1_999);
      expect(result).toBeUndefined();
      await pass(1);
      expect(result).toEqual(TIMED_OUT);
      // a call that is held ends at its signal alone: with the gate still closed the canary goes
      await settle();
      expect(await keysOf(memory)).toEqual([]);
    },
  );

  it('is down after three seconds unless the check says otherwise', async () => {
    faulty.hold('put');
    const check = health.check('uploads');
    await pass(3_000);
    expect(await check).toEqual(TIMED_OUT);
  });

  it('and stores the canary after all, though it was told to stop, has it taken away then', async () => {
    faulty.settleAfterAbort('put');
    const check = health.check('uploads', { timeout: 1_000 });
    await pass(1_000);
    expect(await check).toEqual(TIMED_OUT);
    await settle();
    expect(await keysOf(memory)).toEqual([]);
  });

  it('and never answers keeps the end of the application for five seconds, no longer', async () => {
    faulty.hang('put');
    const check = health.check('uploads', { timeout: 1_000 });
    await pass(1_000);
    expect(await check).toEqual(TIMED_OUT);
    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await pass(4_999);
    expect(closed).toBe(false);
    await pass(1);
    await closing;
  });
});

describe('checks that meet', () => {
  it('share one run, and the next one makes its own', async () => {
    const fake = new FakeStorage();
    await app.close();
    health = await start(fake);
    const puts = (): number => fake.calls.filter(({ method }) => method === 'put').length;
    const results = await Promise.all(Array.from({ length: 20 }, () => health.check('uploads')));
    expect(results).toEqual(results.map(() => UP));
    expect(puts()).toBe(1);
    await health.check('uploads');
    expect(puts()).toBe(2);
  });

  it('with other options do not', async () => {
    const fake = new FakeStorage();
    await app.close();
    health = await start(fake);
    await Promise.all([
      health.check('uploads', { timeout: 1_000 }),
      health.check('uploads', { timeout: 2_000 }),
      health.check('uploads', { mode: 'read' }),
    ]);
    expect(
      fake.calls
        .map(({ method }) => method)
        .filter((method) => method !== 'list')
        .sort(),
    ).toEqual(['delete', 'delete', 'exists', 'getBytes', 'getBytes', 'put', 'put'].sort());
  });
});

describe('a canary of a process that was killed', () => {
  const LEFT = '.health/canary-01234567-89ab-4cde-8f01-23456789abcd';

  it('is found and removed by a later check, an hour after it was written', async () => {
    await memory.put(LEFT, 'x');
    jest.setSystemTime(Date.now() + HOUR);
    await health.check('uploads');
    await settle();
    expect(await keysOf(memory)).toEqual([LEFT]);
    jest.setSystemTime(Date.now() + HOUR + 1);
    await health.check('uploads');
    await settle();
    expect(await keysOf(memory)).toEqual([]);
  });

  it('is told from every object of the application', async () => {
    const others = ['.health/canary-of-ours', '.health/notes.txt', `${LEFT}.txt`, `other/${LEFT}`, LEFT.slice(8)];
    for (const key of others) await memory.put(key, 'x');
    jest.setSystemTime(Date.now() + 2 * HOUR);
    await health.check('uploads');
    await settle();
    expect((await keysOf(memory)).sort()).toEqual(others.sort());
  });

  it('is looked for once an hour, and no check waits for that or fails by it', async () => {
    faulty.hold('list', { on: 1 });
    expect(await health.check('uploads')).toEqual(UP);
    const second = faulty.fail('list');
    expect(await health.check('uploads')).toEqual(UP);
    await settle();
    expect(second.hits).toBe(0);
    jest.setSystemTime(Date.now() + HOUR);
    expect(await health.check('uploads')).toEqual(UP);
    await settle();
    expect(second.hits).toBe(1);
  });
});

describe('the log', () => {
  it('tells once why a storage is down, and when it is up again', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const log = jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    faulty.fail('put', { error: new ConnectionError('no route') });
    await health.check('uploads');
    await health.check('uploads');
    expect(warn.mock.calls.map(([entry]) => String(entry))).toEqual([
      expect.stringMatching(
        /^The storage is down\. \(.*storage: uploads.*code: CONNECTION_FAILED|^The storage is down\. \(.*code: CONNECTION_FAILED.*storage: uploads/,
      ),
    ]);
    faulty.clearFaults();
    await health.check('uploads');
    await health.check('uploads');
    const lines = log.mock.calls.map(([entry]) => String(entry));
    expect(lines.filter((line) => line.includes('uploads'))).toEqual(['The storage is up again. (storage: uploads)']);
  });
});
