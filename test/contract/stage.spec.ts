import { readdir, readlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectionError,
  defineCapabilities,
  FileExistsError,
  type ResolvedPutOptions,
  type StagedBytes,
} from 'nestjs-storages';
import { MapStorage } from './map-storage.js';

let storage: MapStorage;
/** What the process had open before the test: databases and files of other tests, and spools that they have left to the process. */
let others: readonly string[];
beforeEach(async () => {
  storage = new MapStorage();
  others = await openFiles();
});

/** Where the descriptors of this process lead. Only Linux tells. */
async function openFiles(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  return Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
}

/** Those of this test's spools, which are named by a UUID. */
async function spools(): Promise<string[]> {
  const files = await openFiles();
  return files.filter(
    (file) => /\/nestjs-storages-[0-9a-f]{8}-[0-9a-f-]{27}(?: \(deleted\))?$/.test(file) && !others.includes(file),
  );
}

describe('a commit that fails', () => {
  it('says why, also where its bytes cannot be removed, which abort says then', async () => {
    class Stuck extends MapStorage {
      protected override _stage(key: string): Promise<StagedBytes> {
        return Promise.resolve({
          size: 1,
          commit: () => Promise.reject(new FileExistsError(key)),
          abort: () => Promise.reject(new Error('busy')),
        });
      }
    }
    const staged = await new Stuck().stage('a', 'x');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'FILE_EXISTS', operation: 'commit' });
    await expect(staged.abort()).rejects.toMatchObject({ operation: 'abort', cause: { message: 'busy' } });
  });
});

describe('stage of a backend that has none', () => {
  it('shows nothing until commit, which shows all', async () => {
    const staged = await storage.stage('a.txt', Readable.from(['te', 'xt']), {
      metadata: { Owner: 'ada' },
      cacheControl: 'no-store',
    });
    expect(staged).toMatchObject({
      key: 'a.txt',
      size: 4,
      contentType: 'text/plain',
      metadata: { owner: 'ada' },
      cacheControl: 'no-store',
    });
    expect(storage.objects.size).toBe(0);
    expect(await staged.commit()).toEqual(await storage.info('a.txt'));
    expect(String(await storage.getBytes('a.txt'))).toBe('text');
  });

  it('has its bytes back as they were, whatever their length', async () => {
    for (const length of [0, 1, 65_536, 256 * 1024 + 1, 1_000_003]) {
      const bytes = Buffer.alloc(length, 'abcdefg');
      const staged = await storage.stage('a', Readable.from(length === 0 ? [] : [bytes], { objectMode: false }));
      expect(staged.size).toBe(length);
      await staged.commit();
      expect((await storage.getBytes('a')).equals(bytes)).toBe(true);
    }
  });

  it('hands _put the length, the attributes and the conditions, and no signal that may have fired since', async () => {
    class Watched extends MapStorage {
      override readonly capabilities = defineCapabilities({ createOnly: true });
      seen: ResolvedPutOptions | undefined;
      override _put(key: string, source: Readable, options: ResolvedPutOptions) {
        this.seen = options;
        return super._put(key, source, options);
      }
    }
    const watched = new Watched();
    const controller = new AbortController();
    const staged = await watched.stage('a', 'abc', { signal: controller.signal, ifNoneMatch: '*' });
    controller.abort();
    await staged.commit();
    expect(watched.seen).toStrictEqual({
      contentType: 'application/octet-stream',
      metadata: {},
      ifNoneMatch: '*',
      size: 3,
    });
  });

  it('leaves no descriptor after commit, abort, a failing commit, a failing source and close', async () => {
    await (await storage.stage('a', 'abc')).commit();
    await (await storage.stage('a', 'abc')).abort();
    await expect(
      storage.stage(
        'a',
        Readable.from(
          (function* () {
            yield 'a';
            throw new Error('reset');
          })(),
        ),
      ),
    ).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await expect(storage.stage('a', Readable.from(['abc']), { size: 4 })).rejects.toMatchObject({
      code: 'INTEGRITY_FAILED',
    });
    const unread = await storage.stage('a', Buffer.alloc(1_000_000));
    storage._put = () => Promise.reject(new ConnectionError('reset'));
    await expect(unread.commit()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', operation: 'commit', key: 'a' });
    await storage.stage('forgotten', 'abc');
    expect(await spools()).toHaveLength(process.platform === 'linux' ? 1 : 0);
    await storage.close();
    expect(await spools()).toEqual([]);
  });

  it('has no name in the file system while it lies there', async () => {
    const staged = await storage.stage('a', 'abc');
    for (const target of await spools()) expect(target).toMatch(/ \(deleted\)$/);
    await staged.abort();
  });
});

describe('a staged file', () => {
  /** Counts what becomes of staged bytes. */
  class Native extends MapStorage {
    override readonly capabilities = defineCapabilities({ stage: 'native' });
    readonly steps: string[] = [];
    readonly commits: (() => Promise<void>)[] = [];
    protected override _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
      return Promise.resolve({
        size: 3,
        commit: async () => {
          this.steps.push('commit');
          await this.commits.shift()?.();
          return this._put(key, source, options);
        },
        abort: () => {
          this.steps.push('abort');
          return Promise.resolve();
        },
      });
    }
  }
  let native: Native;
  beforeEach(() => {
    native = new Native();
  });

  it('may be committed once', async () => {
    const staged = await native.stage('a', 'abc');
    await staged.commit();
    await expect(staged.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', operation: 'commit' });
    expect(native.steps).toEqual(['commit']);
  });

  it('is not aborted by a call after its commit', async () => {
    const staged = await native.stage('a', 'abc');
    await staged.commit();
    await staged.abort();
    await staged[Symbol.asyncDispose]();
    expect(native.steps).toEqual(['commit']);
  });

  it('is aborted once, however often it is asked to be', async () => {
    const staged = await native.stage('a', 'abc');
    await Promise.all([staged.abort(), staged.abort(), staged[Symbol.asyncDispose]()]);
    await staged.abort();
    await expect(staged.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(native.steps).toEqual(['abort']);
  });

  it('is removed when its commit fails', async () => {
    native.commits.push(() => Promise.reject(new FileExistsError('a')));
    const staged = await native.stage('a', 'abc');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'FILE_EXISTS', operation: 'commit' });
    await staged.abort();
    expect(native.steps).toEqual(['commit', 'abort']);
  });

  it('is aborted again by a call after one that failed', async () => {
    let tries = 0;
    class Stuck extends MapStorage {
      protected override _stage(): Promise<StagedBytes> {
        return Promise.resolve({
          size: 1,
          commit: () => Promise.reject(new Error('unused')),
          abort: () => (++tries === 1 ? Promise.reject(new Error('busy')) : Promise.resolve()),
        });
      }
    }
    const staged = await new Stuck().stage('a', 'x');
    await expect(staged.abort()).rejects.toMatchObject({ cause: { message: 'busy' } });
    await staged.abort();
    await staged.abort();
    expect(tries).toBe(2);
  });

  it('cannot be aborted while it is being committed', async () => {
    let finish = (): void => undefined;
    native.commits.push(() => new Promise((resolve) => (finish = resolve)));
    const staged = await native.stage('a', 'abc');
    const commit = staged.commit();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(staged.abort()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', operation: 'abort' });
    finish();
    await commit;
    expect(native.steps).toEqual(['commit']);
  });

  it('that was left to itself is removed by close, and knows it', async () => {
    const staged = await native.stage('a', 'abc');
    await native.close();
    expect(native.steps).toEqual(['abort']);
    await staged.abort();
    await expect(staged.commit()).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation: 'commit' });
    expect(native.steps).toEqual(['abort']);
  });

  it('is committed to its end by a close that comes meanwhile', async () => {
    let finish = (): void => undefined;
    native.commits.push(() => new Promise((resolve) => (finish = resolve)));
    const staged = await native.stage('a', 'abc');
    const commit = staged.commit();
    await new Promise((resolve) => setImmediate(resolve));
    const close = native.close();
    finish();
    expect(await commit).toMatchObject({ key: 'a' });
    await close;
    expect(native.steps).toEqual(['commit']);
  });

  it('is removed by leaving its block', async () => {
    const spy = jest.spyOn(native, 'stage');
    {
      await using staged = await native.stage('a', 'abc');
      expect(staged.size).toBe(3);
    }
    expect(native.steps).toEqual(['abort']);
    expect(spy).toHaveBeenCalledTimes(1);
  });
});
