import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { Child } from './process/child.js';
import { filesBelow, keysOf, withRoot } from './temporary-root.js';

/** Children that have opened the root, let go at the same moment. */
async function together(children: readonly Child[]): Promise<void> {
  for (const child of children) expect(await child.line()).toBe('ready');
  for (const child of children) child.say('go');
}

describe('two processes on one root', () => {
  it('lose no update when both compare and swap one key', () =>
    withRoot(async (root) => {
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      await storage.put('counter', '0');
      const children = [1, 2].map(() => new Child('count', [root, 'counter', '50', '3']));
      await together(children);
      for (const child of children) expect(await child.line()).toBe('done');
      for (const child of children) await child.end();
      expect(String(await storage.getBytes('counter'))).toBe('300');
    }));

  it('have one winner for each of 50 racing creates', () =>
    withRoot(async (root) => {
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      const children = ['one', 'two'].map((name) => new Child('create', [root, name, '20', '25']));
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

  it('sweep what a killed one was writing, and nothing of one that lives', () =>
    withRoot(async (root) => {
      const killed = new Child('stream', [root, 'killed']);
      const living = new Child('stream', [root, 'living']);
      expect(await killed.line()).toBe('writing');
      expect(await living.line()).toBe('writing');
      await killed.kill();
      const inFlight = async (): Promise<string[]> =>
        (await filesBelow(root)).filter((path) => path.startsWith('.storages/tmp/'));
      expect(await inFlight()).toHaveLength(2);
      {
        await using storage = new FileSystemStorage({ root, durability: 'fast' });
        expect(await keysOf(storage)).toEqual([]);
        expect(await inFlight()).toHaveLength(1);
      }
      await living.kill();
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      await storage.open();
      expect(await inFlight()).toEqual([]);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }));

  it.each(['rename', 'unlink-attributes', 'unlock'])(
    'take over the lock of one that died at its %s, and see the old object or the new one whole',
    (step) =>
      withRoot(async (root) => {
        const key = 'a/key that is held';
        await using storage = new FileSystemStorage({ root, durability: 'fast' });
        const old = await storage.put(key, 'old bytes', { metadata: { version: 'old' } });
        const child = new Child('hold', [root, key, step]);
        expect(await child.line()).toBe('holding');
        await child.kill();
        const committed = step !== 'rename';
        const seen = await storage.info(key);
        expect(seen.metadata).toEqual({ version: committed ? 'new' : 'old' });
        expect(String(await storage.getBytes(key))).toBe(committed ? 'new bytes' : 'old bytes');
        if (!committed) expect(seen).toEqual(old);
        const next = await storage.put(key, 'next', { metadata: { version: 'next' }, ifMatch: seen.etag });
        expect(await storage.info(key)).toEqual(next);
        const attributes = (await filesBelow(root)).filter((path) => path.startsWith('.storages/attrs/'));
        expect(attributes).toHaveLength(1);
      }),
  );

  it('leave nothing of one that died, also when the one that breaks its lock dies of it', () =>
    withRoot(async (root) => {
      const writer = new Child('hold', [root, 'a/key', 'rename']);
      expect(await writer.line()).toBe('holding');
      await writer.kill();
      const breaker = new Child('hold', [root, 'a/key', 'broken']);
      expect(await breaker.line()).toBe('holding');
      await breaker.kill();
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      expect(await keysOf(storage)).toEqual([]);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }));

  it.each(['rename', 'link'])('leave nothing of a new object whose writer died at its %s', (step) =>
    withRoot(async (root) => {
      const key = `${'long '.repeat(60)}/deep/key`;
      const child = new Child('hold', [root, key, step]);
      expect(await child.line()).toBe('holding');
      await child.kill();
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      expect(await keysOf(storage)).toEqual([]);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }),
  );
});
