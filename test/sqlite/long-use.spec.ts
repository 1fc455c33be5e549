import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { bodyOf } from './process/token.js';
import { eventually, query, withStorage } from './temporary-database.js';

const MIB = 1024 * 1024;

// two weeks in ten minutes, by hand: USE_SECONDS=600
const SECONDS = Number(process.env['USE_SECONDS'] ?? 8);
const LEAST_PUTS = 100;

describe('long use', () => {
  it(
    'keeps the file bounded and sound under puts, overwrites and deletes of mixed sizes, with readers and compactions',
    () =>
      withStorage(async (storage, filename) => {
        const end = performance.now() + SECONDS * 1000;
        const keys = Array.from({ length: 60 }, (_, i) => `${i % 6}/${i}`);
        const anyKey = (): string => keys[randomInt(keys.length)] ?? '';
        let longestLog = 0;
        let largest = 0;
        let puts = 0;
        const until = async (work: () => Promise<unknown>): Promise<void> => {
          // so long, and longer where a busy machine has done too little by then
          while (performance.now() < end || puts <= LEAST_PUTS) await work();
        };
        const unlessMissing = async (work: Promise<unknown>): Promise<void> => {
          await work.catch((error: unknown) => {
            if ((error as { code?: unknown }).code !== 'FILE_NOT_FOUND') throw error;
          });
        };
        const write = async (): Promise<void> => {
          const token = `${randomInt(2 ** 32)}:${[100, 10_000, 60_000, 300_000, 2 * MIB][randomInt(5)] ?? 0}`;
          await storage.put(anyKey(), bodyOf(token), { metadata: { token } });
          puts++;
          longestLog = Math.max(longestLog, statSync(`${filename}-wal`).size);
          largest = Math.max(largest, statSync(filename).size);
        };
        const read = (): Promise<void> =>
          unlessMissing(
            (async () => {
              const stream = await storage.get(anyKey());
              const chunks: Buffer[] = [];
              for await (const chunk of stream as AsyncIterable<Buffer>) {
                chunks.push(chunk);
                await new Promise((resolve) => setImmediate(resolve));
              }
              expect(Buffer.concat(chunks).equals(bodyOf(stream.file.metadata['token'] ?? ':0'))).toBe(true);
            })(),
          );
        const remove = async (): Promise<void> => {
          await unlessMissing(storage.delete(anyKey()));
          await new Promise((resolve) => setTimeout(resolve, 5));
        };
        const compact = async (): Promise<void> => {
          await storage.compact();
          await new Promise((resolve) => setTimeout(resolve, (SECONDS * 1000) / 8));
        };
        await Promise.all([until(write), until(write), until(read), until(read), until(remove), until(compact)]);

        // 60 objects of at most 2 MiB, and as much again for what is given up while it is read or written
        expect(largest).toBeLessThan(300 * MIB);
        expect(longestLog).toBeLessThan(150 * MIB);
        await eventually(() => query(filename, 'SELECT 1 FROM "files$garbage"').length === 0);
        await storage.compact();
        const { ok, bytes, problems } = await storage.check();
        expect(problems).toEqual([]);
        expect(ok).toBe(true);
        expect(statSync(filename).size).toBeLessThan(1.3 * bytes + 8 * MIB);
      }),
    SECONDS * 1000 + 60_000,
  );
});
