import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { startChild } from './process/child.js';
import { eventually, query, withFile, withStorage } from './temporary-database.js';

const MIB = 1024 * 1024;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const chunksIn = (filename: string): number => query(filename, 'SELECT 1 FROM "files$chunks"').length;
const garbageIn = (filename: string): number => query(filename, 'SELECT 1 FROM "files$garbage"').length;

describe('a reader that takes its time', () => {
  it(
    'reads the old object whole while 400 MiB are written over it, and the log does not grow with them',
    () =>
      withStorage(
        async (storage, filename) => {
          const old = randomBytes(4 * MIB);
          await storage.put('a', old);
          const stream = await storage.get('a');
          const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
          const read = [(await iterator.next()).value as Buffer];
          let longest = 0;
          for (let i = 0; i < 50; i++) {
            await storage.put('a', Buffer.alloc(8 * MIB, i));
            longest = Math.max(longest, statSync(`${filename}-wal`).size);
          }
          // twice the 64 MiB at which SQLite carries it over, and what one transaction adds
          expect(longest).toBeLessThan(150 * MIB);
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
            read.push(next.value);
          expect(Buffer.concat(read).equals(old)).toBe(true);
          expect(stream.file.size).toBe(old.length);
          // what was overwritten while it read goes with it: those of the last object stay
          await eventually(() => chunksIn(filename) === 16);
          expect((await storage.check()).problems).toEqual([]);
          // all that room was used again and again
          expect(statSync(filename).size).toBeLessThan(500 * MIB);
        },
        { durability: 'fast' },
      ),
    120_000,
  );

  it(
    'reads the old object whole in another process too, and what it read goes when it has ended',
    () =>
      withFile(async (filename) => {
        await using storage = new SQLiteStorage({ filename, durability: 'fast' });
        const old = randomBytes(2 * MIB);
        await storage.put('a', old);
        const child = startChild('read-slowly', [filename, 'a']);
        expect(await child.line()).toBe('reading');
        await storage.put('a', 'new');
        await storage.delete('a');
        await storage.put('b', Buffer.alloc(MIB));
        await storage.delete('b');
        // the sweep that follows a change has been here, and has left both: the child has not said that it reads neither
        await storage.compact();
        expect(garbageIn(filename)).toBe(2);
        child.say('go');
        expect(await child.line()).toBe(sha256(old));
        await eventually(() => garbageIn(filename) === 0);
        expect(chunksIn(filename)).toBe(0);
        child.say('go');
        await child.end();
      }),
    60_000,
  );

  it(
    'keeps nothing once it is killed',
    () =>
      withFile(async (filename) => {
        await using storage = new SQLiteStorage({ filename, durability: 'fast' });
        await storage.put('a', randomBytes(2 * MIB));
        const child = startChild('read-slowly', [filename, 'a']);
        expect(await child.line()).toBe('reading');
        await storage.delete('a');
        await child.kill();
        await storage.compact();
        expect(garbageIn(filename)).toBe(0);
        expect(chunksIn(filename)).toBe(0);
      }),
    60_000,
  );

  it('reads only the chunks that its range needs', () =>
    withStorage(
      async (storage, filename) => {
        const bytes = randomBytes(10 * 16_384);
        await storage.put('a', bytes);
        // all others are gone: whoever asks for one of them fails
        const { default: Database } = await import('better-sqlite3');
        const db = new Database(filename);
        db.exec('DELETE FROM "files$chunks" WHERE position NOT IN (4, 5)');
        db.close();
        const range = { offset: 4 * 16_384 + 100, length: 20_000 };
        expect(
          (await storage.getBytes('a', { range })).equals(bytes.subarray(range.offset, range.offset + 20_000)),
        ).toBe(true);
        await expect(storage.getBytes('a')).rejects.toMatchObject({ code: 'INTEGRITY_FAILED', key: 'a' });
      },
      { chunkSize: 16_384 },
    ));
});
