import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConnectionError,
  FileSystemStorage,
  MemoryStorage,
  ReadOnlyStorage,
  StorageError,
  type FeatureStorage,
  type Storage,
} from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import type { CheckAllOptions, StorageHealthIndicator, StorageHealthOptions } from 'nestjs-storages/terminus';
import { FakeStorage, FaultyStorage } from 'nestjs-storages/testing';
import { keysOf, startHealth, type HealthApplication } from './health-application.js';

const TIME = expect.any(Number) as unknown as number;
const WRITTEN = { status: 'up', mode: 'write', responseTime: TIME };
const READ = { status: 'up', mode: 'read', responseTime: TIME };
const down = (code: string, mode = 'write'): object => ({ status: 'down', mode, responseTime: TIME, code });

let running: HealthApplication[];

beforeEach(() => {
  running = [];
});

afterEach(async () => {
  for (const { app } of running) await app.close();
});

async function healthOf(
  storages: Readonly<Record<string, Storage>>,
  options: { views?: readonly FeatureStorage[]; checkAll?: CheckAllOptions } = {},
): Promise<StorageHealthIndicator> {
  const started = await startHealth(storages, options);
  running.push(started);
  return started.health;
}

/** A storage whose disk gives other bytes than it was given. */
class CorruptingStorage extends MemoryStorage {
  override async getBytes(...args: Parameters<MemoryStorage['getBytes']>): Promise<Buffer> {
    const bytes = await super.getBytes(...args);
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
    return bytes;
  }
}

describe('a check that writes', () => {
  describe.each([
    ['MemoryStorage', () => new MemoryStorage()],
    ['FileSystemStorage', (folder: string) => new FileSystemStorage({ root: join(folder, 'root') })],
    ['SQLiteStorage', (folder: string) => new SQLiteStorage({ filename: join(folder, 'files.db') })],
  ] as const)('of %s', (_name, make) => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-health-'));
    });
    afterEach(async () => {
      for (const { app } of running.splice(0)) await app.close();
      await rm(folder, { recursive: true });
    });

    it('says up, also of a view, and leaves nothing', async () => {
      const storage = make(folder);
      const health = await healthOf(
        { uploads: storage },
        { views: [{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }] },
      );
      // a disk that others keep busy may need longer than a check allows by default
      const timeout = 60_000;
      expect(await health.check('uploads', { timeout })).toEqual({ uploads: WRITTEN });
      expect(await health.check('avatars', { timeout })).toEqual({ avatars: WRITTEN });
      expect(await keysOf(storage)).toEqual([]);
    });

    it('says down when the storage is closed', async () => {
      const storage = make(folder);
      const health = await healthOf({ uploads: storage });
      await storage.close();
      expect(await health.check('uploads')).toEqual({ uploads: down('STORAGE_CLOSED') });
    });
  });

  it('stores, reads and deletes one object of its own, in this order', async () => {
    const fake = new FakeStorage();
    const health = await healthOf({ uploads: fake });
    await health.check('uploads', { canaryPrefix: 'probe/' });
    const [put, read, removal, ...others] = fake.calls.filter(({ method }) => method !== 'list');
    expect([put?.method, read?.method, removal?.method]).toEqual(['put', 'getBytes', 'delete']);
    expect(others).toEqual([]);
    expect(put?.key).toMatch(/^probe\/canary-[0-9a-f-]{36}$/);
    expect([read?.key, removal?.key]).toEqual([put?.key, put?.key]);
  });

  it('of two applications on one storage at once never meets the other one', async () => {
    const memory = new MemoryStorage();
    const [one, other] = [await healthOf({ a: memory }), await healthOf({ a: memory })];
    // of different time-outs, so that none of them shares a run
    const checks = Array.from({ length: 50 }, (_, n) =>
      (n % 2 === 0 ? one : other).check('a', { timeout: 10_000 + n }),
    );
    const results = await Promise.all(checks);
    expect(results).toEqual(results.map(() => ({ a: WRITTEN })));
    expect(await keysOf(memory)).toEqual([]);
  });

  it.each([
    ['refuses the connection', 'put', new ConnectionError('no route'), 'CONNECTION_FAILED'],
    ['cannot be read', 'getBytes', new ConnectionError('reset'), 'CONNECTION_FAILED'],
    ['fails in a way of its own', 'put', new Error('boom'), 'STORAGE_FAILURE'],
  ] as const)('says down when the storage %s, and leaves nothing', async (_title, method, error, code) => {
    const memory = new MemoryStorage();
    const faulty = new FaultyStorage(memory);
    const health = await healthOf({ uploads: faulty });
    faulty.fail(method, { error });
    expect(await health.check('uploads')).toEqual({ uploads: down(code) });
    await running.pop()?.app.close();
    expect(await keysOf(await reopened(memory))).toEqual([]);
  });

  it('says down when the storage is full', async () => {
    const health = await healthOf({ uploads: new MemoryStorage({ maxBytes: 10 }) });
    expect(await health.check('uploads')).toEqual({ uploads: down('QUOTA_EXCEEDED') });
  });

  it('says down when other bytes come back, and leaves nothing', async () => {
    const storage = new CorruptingStorage();
    const health = await healthOf({ uploads: storage });
    expect(await health.check('uploads')).toEqual({ uploads: down('INTEGRITY_FAILED') });
    await running.pop()?.app.close();
    expect(await keysOf(await reopened(storage))).toEqual([]);
  });

  it('says down when the canary cannot be deleted, and tries it once more', async () => {
    const memory = new MemoryStorage();
    const faulty = new FaultyStorage(memory);
    const health = await healthOf({ uploads: faulty });
    faulty.fail('delete', { on: 1 });
    expect(await health.check('uploads')).toEqual({ uploads: down('CONNECTION_FAILED') });
    await running.pop()?.app.close();
    expect(await keysOf(await reopened(memory))).toEqual([]);
  });

  it('says down for a read-only storage', async () => {
    const health = await healthOf({ archive: new ReadOnlyStorage(new MemoryStorage()) });
    expect(await health.check('archive')).toEqual({ archive: down('UNSUPPORTED_OPERATION') });
  });

  it('says down when an object that must be there is not, though the storage takes writes', async () => {
    const memory = new MemoryStorage();
    const health = await healthOf({ uploads: memory });
    expect(await health.check('uploads', { key: 'volume.id' })).toEqual({ uploads: down('FILE_NOT_FOUND') });
    await memory.put('volume.id', '1');
    expect(await health.check('uploads', { key: 'volume.id' })).toEqual({ uploads: WRITTEN });
  });

  it('says nothing of a failure but its code', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const health = await healthOf({ uploads: faulty });
    const cause = new Error('EACCES: /srv/secret/uploads, AKIASECRET');
    faulty.fail('put', {
      error: new StorageError('The disk /srv/secret said AKIASECRET.', { cause, key: 'secret.txt' }),
    });
    const result = await health.check('uploads');
    expect(Object.keys(result['uploads'] ?? {}).sort()).toEqual(['code', 'mode', 'responseTime', 'status']);
    expect(JSON.stringify(result)).not.toMatch(/secret|canary/i);
  });
});

describe('a check that reads', () => {
  it('changes nothing, and asks for a key that nobody has', async () => {
    const fake = new FakeStorage();
    const health = await healthOf({ archive: fake });
    expect(await health.check('archive', { mode: 'read' })).toEqual({ archive: READ });
    expect(fake.calls.map(({ method }) => method)).toEqual(['exists']);
  });

  it.each([
    ['of many bytes', Buffer.alloc(100_000, 1)],
    ['of no byte', Buffer.alloc(0)],
  ])('reads the beginning of an object %s', async (_title, bytes) => {
    const memory = new MemoryStorage();
    await memory.put('index.json', bytes);
    const health = await healthOf({ archive: new ReadOnlyStorage(memory) });
    expect(await health.check('archive', { mode: 'read', key: 'index.json' })).toEqual({ archive: READ });
  });

  it('says down when that object is not there, or cannot be read', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const health = await healthOf({ archive: faulty });
    const check = (): Promise<object> => health.check('archive', { mode: 'read', key: 'index.json' });
    expect(await check()).toEqual({ archive: down('FILE_NOT_FOUND', 'read') });
    await faulty.put('index.json', '{}');
    faulty.fail('getBytes');
    expect(await check()).toEqual({ archive: down('CONNECTION_FAILED', 'read') });
  });

  it('says down when the storage does not answer', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const health = await healthOf({ archive: faulty });
    faulty.fail('exists');
    expect(await health.check('archive', { mode: 'read' })).toEqual({ archive: down('CONNECTION_FAILED', 'read') });
  });
});

describe("mode: 'auto'", () => {
  it('writes where it can, and reads where the storage takes no writes', async () => {
    const health = await healthOf({ uploads: new MemoryStorage(), archive: new ReadOnlyStorage(new MemoryStorage()) });
    expect(await health.check('uploads', { mode: 'auto' })).toEqual({ uploads: WRITTEN });
    expect(await health.check('archive', { mode: 'auto' })).toEqual({ archive: READ });
    const missing = await health.check('archive', { mode: 'auto', key: 'index.json' });
    expect(missing).toEqual({ archive: down('FILE_NOT_FOUND', 'read') });
  });

  it('takes no other failure of a write for a storage that is read only', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const health = await healthOf({ uploads: faulty });
    faulty.fail('put');
    expect(await health.check('uploads', { mode: 'auto' })).toEqual({ uploads: down('CONNECTION_FAILED') });
  });
});

describe('checkAll', () => {
  it('checks every name, views too, and one that is down keeps nothing from the others', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const health = await healthOf(
      { uploads: new MemoryStorage(), broken: faulty },
      { views: [{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }] },
    );
    faulty.fail('put');
    expect(await health.checkAll()).toEqual({
      uploads: WRITTEN,
      broken: down('CONNECTION_FAILED'),
      avatars: WRITTEN,
    });
  });

  it('leaves names out, and takes options for all and for single ones', async () => {
    const health = await healthOf({ a: new MemoryStorage(), b: new MemoryStorage(), c: new MemoryStorage() });
    const result = await health.checkAll({
      mode: 'read',
      except: ['c'],
      storages: { b: { mode: 'write', resultKey: 'the second' } },
    });
    expect(result).toEqual({ a: READ, 'the second': WRITTEN });
  });

  it.each([
    ['except: no name', { except: ['typo'] }, 'there is no storage "typo". Known names: "a"'],
    ['storages: no name', { storages: { typo: {} } }, 'there is no storage "typo"'],
    ['a key for all', { key: 'a' }, 'key must be said for one storage'],
    ['a result key for all', { resultKey: 'a' }, 'resultKey must be said for one storage'],
    ['what is none of its options', { modes: 'read' }, 'modes is not one of its options'],
  ])('refuses %s', async (_title, options, message) => {
    const health = await healthOf({ a: new MemoryStorage() });
    await expect(health.checkAll(options as CheckAllOptions)).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining(message) as unknown,
    });
  });
});

describe('a mistake of the application', () => {
  it('in the name is an error that lists the known ones', async () => {
    const health = await healthOf({ uploads: new MemoryStorage(), drafts: new MemoryStorage() });
    await expect(health.check('uploda')).rejects.toThrow(
      'There is no storage "uploda". Known names: "uploads", "drafts".',
    );
  });

  it.each([
    [{ mode: 'delete' }, "mode must be 'write', 'read' or 'auto'"],
    [{ timeout: 0 }, 'timeout must be a whole number of milliseconds, from 1 to 600000'],
    [{ timeout: '5s' }, 'timeout must be'],
    [{ timeout: 600_001 }, 'timeout must be'],
    [{ key: '../x' }, 'key must be canonical'],
    [{ key: 5 }, 'key must be canonical'],
    [{ canaryPrefix: '' }, 'canaryPrefix must be a text'],
    [{ canaryPrefix: '/health/' }, 'canaryPrefix must be canonical'],
    [{ resultKey: '' }, 'resultKey must be a name'],
    [{ timeOut: 5 }, 'timeOut is not one of its options (mode, key, timeout, canaryPrefix, resultKey)'],
    [null, 'its options must be an object'],
  ])('in the options %j is an error that names the option', async (options, message) => {
    const health = await healthOf({ uploads: new MemoryStorage() });
    await expect(health.check('uploads', options as StorageHealthOptions)).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining(message) as unknown,
    });
  });
});

describe('over HTTP', () => {
  async function ask(storages: Readonly<Record<string, Storage>>): Promise<readonly [number, unknown]> {
    await healthOf(storages);
    const url = await running.at(-1)?.app.getUrl();
    const answer = await fetch(`${url ?? ''}/health`);
    return [answer.status, await answer.json()];
  }

  it('a health check of terminus answers 200', async () => {
    const [status, body] = await ask({ uploads: new MemoryStorage(), drafts: new MemoryStorage() });
    const details = { uploads: WRITTEN, drafts: WRITTEN };
    expect([status, body]).toEqual([200, { status: 'ok', info: details, error: {}, details }]);
  });

  it('a health check of terminus answers 503 when a storage is down, and says which', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    faulty.fail('put');
    const [status, body] = await ask({ uploads: new MemoryStorage(), broken: faulty });
    const broken = down('CONNECTION_FAILED');
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'error', info: { uploads: WRITTEN }, error: { broken } });
  });
});

/** The objects of a MemoryStorage are there as long as it is: closed with its application, it is opened again. */
async function reopened(storage: MemoryStorage): Promise<MemoryStorage> {
  await storage.open();
  return storage;
}
