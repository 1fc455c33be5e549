import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { Child } from './process/child.js';
import { RULES } from './process/switch-off.js';
import { filesBelow, keysOf, withRoot } from './temporary-root.js';

async function started(args: readonly string[]): Promise<Child> {
  const child = new Child('attack', args);
  expect(await child.line()).toBe('ready');
  return child;
}

/** What two attackers of one root say, and how often they raised the count together. */
async function attack(
  root: string,
  durability: string,
  rule?: string,
): Promise<{ violations: string[]; counted: number }> {
  const args = [root, '3', durability, ...(rule === undefined ? [] : [rule])];
  const children = await Promise.all([started(args), started(args)]);
  for (const child of children) child.say('go');
  const lines = await Promise.all(children.map((child) => child.line()));
  for (const child of children) await child.end();
  return {
    violations: lines.filter((line) => !line.startsWith('none')),
    counted: lines.reduce((sum, line) => sum + Number(line.slice('none '.length)), 0),
  };
}

describe('two processes that attack one root', () => {
  it.each(['full', 'fast'])('see no broken promise, and no update is lost (%s)', (durability) =>
    withRoot(async (root) => {
      const { violations, counted } = await attack(root, durability);
      expect(violations).toEqual([]);
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      expect((await storage.info('count')).metadata['count']).toBe(String(counted));
    }),
  );

  it('leave nothing behind but objects when they are killed in the middle', () =>
    withRoot(async (root) => {
      for (let i = 0; i < 3; i++) {
        const children = await Promise.all([started([root, '60', 'fast']), started([root, '60', 'fast'])]);
        for (const child of children) child.say('go');
        await using witness = new FileSystemStorage({ root, durability: 'fast' });
        for (let reads = 0; reads < 100; reads++) await witness.getBytes('always/there');
        for (const child of children) await child.kill();
      }
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      const keys = await keysOf(storage);
      for (const key of keys) {
        const file = await storage.info(key);
        const body = String(await storage.getBytes(key));
        expect(file.metadata['token'] ?? file.metadata['count'] ?? `plain`).toBe(
          body
            .replaceAll('.', '')
            .slice(0, 36)
            .replace(/^plain .*/, 'plain'),
        );
      }
      for (const key of keys) await storage.delete(key);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }));

  it.each(RULES)('would be caught without the rule: %s', (rule) =>
    withRoot(async (root) => {
      let found = false;
      for (let i = 0; i < 5 && !found; i++) {
        const { violations, counted } = await attack(root, 'fast', rule);
        const storage = new FileSystemStorage({ root, durability: 'fast' });
        found = violations.length > 0 || (await storage.info('count')).metadata['count'] !== String(counted);
        await storage.close();
      }
      expect(found).toBe(true);
    }),
  );
});
