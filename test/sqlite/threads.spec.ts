import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { openDatabase } from '../../lib/backends/sqlite/thread/open-database.js';
import { eventually, query, withFile, withStorage } from './temporary-database.js';

const MIB = 1024 * 1024;

/** A storage whose threads can be ended as a crash would. */
class MortalStorage extends SQLiteStorage {
  kill(thread: 'writer' | 'reader'): Promise<void> {
    return this._threads[thread].kill();
  }
}

function withMortal(test: (storage: MortalStorage, filename: string) => Promise<void>): Promise<void> {
  return withFile(async (filename) => {
    await using storage = new MortalStorage({ filename, durability: 'fast' });
    await test(storage, filename);
  });
}

const ENDED = { code: 'CONNECTION_FAILED', retryable: true };

describe('a thread that dies', () => {
  it('fails the puts in flight with an error that may be tried again, and is started by the next', () =>
    withMortal(async (storage) => {
      await storage.put('a', 'old');
      const puts = Promise.allSettled([storage.put('a', 'new'), storage.put('b', Buffer.alloc(2 * MIB))]);
      await storage.kill('writer');
      const [small, large] = await puts;
      for (const result of [small, large]) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ ...ENDED, operation: 'put' });
      }
      expect(large.status).toBe('rejected');
      await storage.put('a', 'newer');
      expect(String(await storage.getBytes('a'))).toBe('newer');
      expect(await storage.exists('b')).toBe(false);
      expect((await storage.check()).problems).toEqual([]);
    }));

  it('leaves nothing that outlives a storage which is closed without starting it again', () =>
    withFile(async (filename) => {
      const dead = new MortalStorage({ filename, durability: 'fast' });
      await dead.put('a', Buffer.alloc(MIB));
      await dead.kill('writer');
      await dead.close();
      await using next = new SQLiteStorage({ filename, durability: 'fast' });
      await next.put('a', 'new');
      expect(query(filename, 'SELECT id FROM "nestjs_storages_owners"')).toHaveLength(1);
      await eventually(() => query(filename, 'SELECT 1 FROM "files$chunks"').length === 0);
    }));

  it('lets a file that was staged before be committed', () =>
    withMortal(async (storage) => {
      const bytes = randomBytes(MIB);
      const [small, large] = [await storage.stage('small', 'small'), await storage.stage('large', bytes)];
      await storage.kill('writer');
      await small.commit();
      await large.commit();
      expect(String(await storage.getBytes('small'))).toBe('small');
      expect((await storage.getBytes('large')).equals(bytes)).toBe(true);
    }));

  it('fails the reads in flight, and lets a stream that waits for its reader go on', () =>
    withMortal(async (storage) => {
      const bytes = randomBytes(4 * MIB);
      await storage.put('a', bytes);
      const stream = await storage.get('a');
      const reads = Promise.allSettled([storage.info('a'), storage.getBytes('a')]);
      await storage.kill('reader');
      for (const result of await reads) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject(ENDED);
      }
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    }));

  it('does not take what is being read, nor gives back what a reader holds', () =>
    withMortal(async (storage, filename) => {
      const bytes = randomBytes(4 * MIB);
      await storage.put('a', bytes);
      const stream = await storage.get('a');
      await storage.put('a', 'new');
      await storage.kill('writer');
      await storage.compact();
      expect(query(filename, 'SELECT 1 FROM "files$garbage"')).toHaveLength(1);
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    }));
});

describe('the threads', () => {
  it('do not keep a process alive that has nothing to wait for', () =>
    withStorage(async (storage) => {
      const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
      // those of the process, which other tests may have left to it
      const before = ports();
      await storage.put('a', 'a');
      // of the threads' ports none holds the loop: they would be listed
      expect(ports()).toBeLessThanOrEqual(before);
    }));

  it('leave the memory of a caller as it was, of whatever kind it is', () =>
    withStorage(async (storage) => {
      const pooled = Buffer.from('a slice of a pool');
      const own = new Uint8Array(300_000).fill(1);
      const large = Buffer.alloc(MIB, 2);
      await Promise.all([storage.put('pooled', pooled), storage.put('own', own), storage.put('large', large)]);
      expect(String(pooled)).toBe('a slice of a pool');
      expect([own.byteLength, own.buffer.byteLength, own[0]]).toEqual([300_000, 300_000, 1]);
      expect([large.byteLength, large[MIB - 1]]).toEqual([MIB, 2]);
    }));

  it.each([
    ['full', 2],
    ['fast', 1],
  ] as const)('have synchronous set on every connection: durability %s means %i', (durability, expected) =>
    withFile((filename) => {
      const settings = {
        filename,
        givenFilename: filename,
        tableName: 'files',
        durable: durability === 'full',
        busyTimeout: 1000,
        maxBytes: undefined,
        instance: '0123456789ab',
      };
      for (const role of ['writer', 'reader'] as const) {
        const db = openDatabase({ ...settings, role });
        expect(db.pragma('synchronous', { simple: true })).toBe(expected);
        expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
        db.close();
      }
      return Promise.resolve();
    }),
  );
});
