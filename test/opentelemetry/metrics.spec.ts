import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { metrics } from '@opentelemetry/api';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, ScopedStorage } from 'nestjs-storages';
import { StorageInstrumentation } from 'nestjs-storages/opentelemetry';
import { Telemetry } from './telemetry.js';

const DURATION = 'nestjs_storages.operation.duration';
const ACTIVE = 'nestjs_storages.active_operations';
const IO = 'nestjs_storages.io';

let telemetry: Telemetry;
let instrumentation: StorageInstrumentation;
let storage: MemoryStorage;

beforeEach(() => {
  telemetry = new Telemetry();
  instrumentation = new StorageInstrumentation();
  instrumentation.setMeterProvider(telemetry.meterProvider);
  storage = new MemoryStorage({ name: 'avatars' });
});
afterEach(async () => {
  instrumentation.disable();
  Telemetry.unregister();
  await storage.close();
});

describe('The metrics of calls', () => {
  it('have durations in seconds by storage, operation and error, and never a key', async () => {
    const before = performance.now();
    await storage.put('a', 'three');
    await storage.info('a');
    await storage.info('a');
    await expect(storage.info('b')).rejects.toThrow();
    const passed = (performance.now() - before) / 1000;
    expect(await telemetry.counts(DURATION)).toEqual({
      'avatars put': 1,
      'avatars info': 2,
      'avatars info FILE_NOT_FOUND': 1,
    });
    const { unit, boundaries, sum } = await telemetry.histogram(DURATION);
    expect(unit).toBe('s');
    expect(boundaries.slice(0, 3)).toEqual([0.001, 0.005, 0.01]);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(passed);
  });

  it('count what is in flight, back to nothing, also where it is disabled meanwhile', async () => {
    const source = new Readable({ read: () => undefined });
    const putting = storage.put('a', source);
    expect(await telemetry.sums(ACTIVE)).toEqual({ 'avatars put': 1 });
    instrumentation.disable();
    source.push(null);
    await putting;
    expect(await telemetry.sums(ACTIVE)).toEqual({ 'avatars put': 0 });
  });

  it('count the bytes that were taken and given, those of a stage once, and of a copy none', async () => {
    await storage.put('a', 'three');
    await (await storage.stage('b', 'seven..')).commit();
    await storage.copy('a', 'c');
    await storage.getBytes('a');
    await storage.info('a');
    expect(await telemetry.sums(IO)).toEqual({ 'avatars write': 12, 'avatars read': 5 });
  });

  it('count of a get what has been read of it, not what there is', async () => {
    await storage.put('a', Buffer.alloc(1_000_000));
    const whole = await storage.get('a');
    let bytes = 0;
    for await (const chunk of whole) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(1_000_000);
    expect((await telemetry.sums(IO))['avatars read']).toBe(1_000_000);
    const part = await storage.get('a', { range: { offset: 10, length: 20 } });
    for await (const chunk of part) expect((chunk as Buffer).length).toBe(20);
    expect((await telemetry.sums(IO))['avatars read']).toBe(1_000_020);
    const unread = await storage.get('a');
    const closed = new Promise((resolve) => unread.once('close', resolve));
    unread.destroy();
    await closed;
    expect((await telemetry.sums(IO))['avatars read']).toBeLessThan(2_000_020);
  });

  it('count a view and what is behind it, each by its name', async () => {
    const view = new ScopedStorage(storage, 'below/', { name: 'view' });
    await view.put('a', 'three');
    for await (const chunk of await view.get('a')) expect(chunk).toHaveLength(5);
    expect(await telemetry.sums(IO)).toEqual({
      'avatars write': 5,
      'view write': 5,
      'avatars read': 5,
      'view read': 5,
    });
  });

  it('are told to a provider that is set as the global one after the first call', async () => {
    const late = new Telemetry();
    const global = new StorageInstrumentation();
    await storage.put('a', 'x');
    metrics.setGlobalMeterProvider(late.meterProvider);
    await storage.put('a', 'x');
    global.disable();
    expect(await late.counts(DURATION)).toEqual({ 'avatars put': 1 });
  });

  it('are not made where they are turned off', async () => {
    instrumentation.setConfig({ metrics: false });
    await storage.put('a', 'x');
    expect(await telemetry.counts(DURATION)).toEqual({});
  });
});

describe('registerInstrumentations of OpenTelemetry', () => {
  it('takes it as it takes its own: sets providers, enables it, and disables and enables it again', async () => {
    const plain: Instrumentation = new StorageInstrumentation({ enabled: false });
    const { tracerProvider, meterProvider } = telemetry;
    instrumentation.disable();
    for (let round = 1; round <= 2; round++) {
      const disable = registerInstrumentations({ instrumentations: [plain], tracerProvider, meterProvider });
      await storage.put('a', 'x');
      disable();
      await storage.put('a', 'x');
      expect(telemetry.names).toEqual(Array(round).fill('put avatars'));
    }
    expect(await telemetry.counts(DURATION)).toEqual({ 'avatars put': 2 });
  });

  it('is told the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(instrumentation.instrumentationVersion).toBe(version);
  });
});
