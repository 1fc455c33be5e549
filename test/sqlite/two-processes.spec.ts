import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import type { Child } from '../filesystem/process/child.js';
import { startChild } from './process/child.js';
import { eventually, keysOf, query, withFile } from './temporary-database.js';

/** Children that have opened the file, let go at the same moment. */
async function together(children: readonly Child[]): Promise<void> {
  for (const child of children) expect(await child.line()).toBe('ready');
  for (const child of children) child.say('go');
}

const uploads = (filename: string): number => query(filename, 'SELECT 1 FROM "files$uploads"').length;

describe('two processes on one file', () => {
  it('lose no update when both compare and swap one key', () =>
    withFile(async (filename) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      await storage.put('counter', '0');
      const children = [1, 2].map(() => startChild('count', [filename, 'counter', '50', '3']));
      await together(children);
      for (const child of children) expect(await child.line()).toBe('done');
      for (const child of children) await child.end();
      expect(String(await storage.getBytes('counter'))).toBe('300');
    }));

  it('have one winner for each of 50 racing creates', () =>
    withFile(async (filename) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      const children = ['one', 'two'].map((name) => startChild('create', [filename, name, '20', '25']));
      await together(children);
      const won: string[] = [];
      for (const child of children) won.push(...(JSON.parse(await child.line()) as string[]));
      for (const child of children) await child.end();
      expect(won).toHaveLength(20);
      expect(new Set(won.map((win) => win.split(':')[0])).size).toBe(20);
      for (const win of won) {
        const [key = '', body = ''] = win.split(':');
        expect(String(await storage.getBytes(`race/${key}`))).toBe(body);
        expect((await storage.info(`race/${key}`)).metadata).toEqual({ winner: body });
      }
    }));

  it('make a new file together', () =>
    withFile(async (filename) => {
      const children = Array.from({ length: 4 }, (_, i) => startChild('create', [filename, `${i}`, '1', '1']));
      await together(children);
      const won: string[] = [];
      for (const child of children) won.push(...(JSON.parse(await child.line()) as string[]));
      for (const child of children) await child.end();
      expect(won).toHaveLength(1);
    }));

  it('sweep what a killed one was writing, and nothing of one that lives', () =>
    withFile(async (filename) => {
      const killed = startChild('stream', [filename, 'killed']);
      const living = startChild('stream', [filename, 'living']);
      expect(await killed.line()).toBe('writing');
      expect(await living.line()).toBe('writing');
      await killed.kill();
      expect(uploads(filename)).toBe(2);
      {
        await using storage = new SQLiteStorage({ filename, durability: 'fast' });
        expect(await keysOf(storage)).toEqual([]);
        expect(uploads(filename)).toBe(1);
      }
      await living.kill();
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      await storage.open();
      expect(uploads(filename)).toBe(0);
      await eventually(() => query(filename, 'SELECT 1 FROM "files$chunks"').length === 0);
      expect((await storage.check()).problems).toEqual([]);
    }));

  it('wait for each other no longer than busyTimeout, and say that it may be tried again', () =>
    withFile(async (filename) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast', busyTimeout: 50 });
      await storage.put('a', 'old');
      const other = new Database(filename);
      other.exec('BEGIN IMMEDIATE');
      await expect(storage.put('a', 'new')).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true, key: 'a' });
      expect(String(await storage.getBytes('a'))).toBe('old');
      other.exec('COMMIT');
      other.close();
      await storage.put('a', 'new');
      expect(String(await storage.getBytes('a'))).toBe('new');
    }));

  it('read beside one that is writing, without waiting for it', () =>
    withFile(async (filename) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      await storage.put('a', 'a');
      const other = new Database(filename);
      other.exec('BEGIN IMMEDIATE');
      const put = storage.put('b', 'b');
      expect(String(await storage.getBytes('a'))).toBe('a');
      expect(await keysOf(storage)).toEqual(['a']);
      other.exec('COMMIT');
      other.close();
      await put;
    }));
});
