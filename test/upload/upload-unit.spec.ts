import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage, QuotaExceededError, type Storage } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { UploadUnit, type StageRequest } from '../../lib/upload/upload-unit.js';
import { WatchedStorage } from './watched-storage.js';

const request = (storage: Storage, key: string, rest: Partial<StageRequest> = {}): StageRequest => ({
  storage,
  storageName: 'test',
  key,
  data: Buffer.from(key),
  options: {},
  order: 0,
  replaces: false,
  ...rest,
});

describe('An upload unit', () => {
  let one: WatchedStorage;
  let other: WatchedStorage;
  let unit: UploadUnit;

  beforeEach(() => {
    one = new WatchedStorage();
    other = new WatchedStorage();
    unit = new UploadUnit();
  });

  async function expectLeft(keys: readonly string[], otherKeys: readonly string[]): Promise<void> {
    expect([await one.keys(), await other.keys()]).toEqual([keys, otherKeys]);
    expect([one.staged, one.staging, other.staged, other.staging]).toEqual([0, 0, 0, 0]);
  }

  it('shows nothing before its commit, and all files in all storages after it', async () => {
    const files = await Promise.all([
      unit.stage(request(one, 'a')),
      unit.stage(request(other, 'b')),
      unit.stage(request(one, 'c')),
    ]);
    expect([await one.keys(), await other.keys()]).toEqual([[], []]);
    await unit.commit('beforeHandler');
    expect(files.map(({ stored }) => stored?.key)).toEqual(['a', 'b', 'c']);
    unit.keep();
    await unit.rollBack(new Error('too late'));
    await expectLeft(['a', 'c'], ['b']);
  });

  it('that is rolled back before its commit leaves nothing', async () => {
    await unit.stage(request(one, 'a'));
    await unit.stage(request(other, 'b'));
    await unit.rollBack(new Error('no'));
    await expectLeft([], []);
    await expect(unit.commit('beforeHandler')).rejects.toThrow();
    await expect(unit.stage(request(one, 'c'))).rejects.toThrow();
    await expectLeft([], []);
  });

  it('that is rolled back after its commit removes what it committed and nothing else', async () => {
    await one.put('mine', 'before');
    await unit.stage(request(one, 'a'));
    await unit.stage(request(one, 'b'));
    await unit.commit('beforeHandler');
    await one.put('b', 'of somebody else');
    await unit.rollBack(new Error('no'));
    await expectLeft(['b', 'mine'], []);
    expect((await one.getBytes('b')).toString()).toBe('of somebody else');
  });

  it('commits creations before replacements, so that a failing creation harms no old file', async () => {
    await one.put('old', 'old bytes');
    await other.put('taken', 'x');
    await unit.stage(request(one, 'old', { replaces: true }));
    await unit.stage(request(one, 'new'));
    await unit.stage(request(other, 'taken', { options: { ifNoneMatch: '*' } }));
    await expect(unit.commit('beforeHandler')).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await unit.rollBack(new Error('no'));
    await expectLeft(['old'], ['taken']);
    expect((await one.getBytes('old')).toString()).toBe('old bytes');
  });

  it('takes back the commits before one that fails', async () => {
    other.failAt('commit', new QuotaExceededError('full'));
    await unit.stage(request(one, 'a'));
    await unit.stage(request(other, 'b'));
    await expect(unit.commit('beforeHandler')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await unit.rollBack(new Error('no'));
    await expectLeft([], []);
  });

  it('that is rolled back while it commits leaves nothing', async () => {
    await unit.stage(request(one, 'a'));
    await unit.stage(request(other, 'b'));
    const committing = unit.commit('beforeHandler');
    await unit.rollBack(new Error('no'));
    await expect(committing).rejects.toThrow();
    await expectLeft([], []);
  });

  it('takes back after the handler what its replacements have created, and leaves what they have replaced', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const detailed = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
    await one.put('old', 'before');
    await unit.stage(request(one, 'new', { replaces: true }));
    await unit.stage(request(one, 'old', { replaces: true, order: 1 }));
    await unit.stage(request(other, 'b', { replaces: true, order: 2 }));
    other.failAt('commit', new QuotaExceededError('no'));
    await expect(unit.commit('afterHandler')).rejects.toThrow();
    await unit.rollBack(new Error('no'));
    await expectLeft(['old'], []);
    expect((await one.getBytes('old')).toString()).toBe('old');
    expect(logged.mock.calls.map(([entry]) => String(entry))).toEqual([
      'A file was replaced by an upload that failed afterwards; the new version stays. (storage: test)',
    ]);
    expect(detailed.mock.calls.map(([entry]) => String(entry))).toEqual([expect.stringContaining('key: old')]);
    logged.mockRestore();
    detailed.mockRestore();
  });

  it('that is rolled back while it stages leaves nothing, also of what is staged all the same', async () => {
    const heedless = new FaultyStorage(other);
    heedless.settleAfterAbort('stage');
    const staging = [unit.stage(request(one, 'a')), unit.stage(request(heedless, 'b'))];
    const settled = Promise.allSettled(staging);
    await unit.rollBack(new Error('no'));
    await settled;
    await expectLeft([], []);
  });

  it('removes what it can where one removal fails, and logs the key of the other at debug only', async () => {
    const detailed = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    one.failAt('delete', new QuotaExceededError('no'));
    await unit.stage(request(one, 'a'));
    await unit.stage(request(other, 'b'));
    await unit.commit('beforeHandler');
    await unit.rollBack(new Error('no'));
    await expectLeft(['a'], []);
    expect(logged.mock.calls.map(([entry]) => String(entry))).toEqual([
      expect.stringMatching(
        /could not be removed.*reason: no,.*QUOTA_EXCEEDED, storage: test, .*removal: \d+, step: committed/,
      ),
    ]);
    expect(String(logged.mock.calls)).not.toContain('key: a');
    expect(detailed.mock.calls.map(([entry]) => String(entry))).toEqual([expect.stringContaining('key: a')]);
    logged.mockRestore();
    detailed.mockRestore();
  });

  it('removes its version where the storage has no condition for it', async () => {
    class Plain extends MemoryStorage {
      override readonly capabilities = { ...new MemoryStorage().capabilities, compareAndSwap: false };
    }
    const plain = new Plain();
    await unit.stage(request(plain, 'a'));
    await unit.stage(request(plain, 'b'));
    await unit.stage(request(plain, 'c'));
    await unit.commit('beforeHandler');
    await plain.put('b', 'of somebody else');
    await plain.delete('c');
    await unit.rollBack(new Error('no'));
    expect([await plain.exists('a'), await plain.exists('b')]).toEqual([false, true]);
  });
});
