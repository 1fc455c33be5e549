import assert from 'node:assert/strict';
import type { InvalidKeyRule, Storage } from '../../../contract/index.js';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { collect, expectContent, expectListed } from '../expect-stored.js';
import { PushedSource } from '../sources/pushed-source.js';

const BAD_KEYS: readonly (readonly [string, string, InvalidKeyRule])[] = [
  ['an empty key', '', 'empty'],
  ['a slash alone', '/', 'empty'],
  ['a dot alone', '.', 'empty'],
  ['two dots alone', '..', 'empty'],
  ['a path that ends where it began', 'a/..', 'empty'],
  ['a backslash alone', '\\', 'empty'],
  ['NUL', 'a\0b', 'control-character'],
  ['a line feed', 'a\nb', 'control-character'],
  ['a carriage return', 'a\rb', 'control-character'],
  ['a tab', 'a\tb', 'control-character'],
  ['an escape', 'a\u001bb', 'control-character'],
  ['DEL', 'a\u007fb', 'control-character'],
  ['a control character beyond ASCII', 'a\u0085b', 'control-character'],
  ['a lone high surrogate', 'a\ud83d', 'lone-surrogate'],
  ['a lone low surrogate', '\ude00a', 'lone-surrogate'],
];

/** Asserts that a key is refused for a rule, and nothing is stored. */
async function expectRefused(
  context: CheckContext,
  storage: Storage,
  key: string,
  rule: InvalidKeyRule,
): Promise<void> {
  const error = await context.rejects(storage.put(key, 'refused'), 'INVALID_KEY', { operation: 'put' });
  assert.equal((error as { rule?: unknown }).rule, rule);
}

/** Every method that takes a key. */
const METHODS: readonly (readonly [string, (storage: Storage, key: string) => Promise<unknown>])[] = [
  ['put', (storage, key) => storage.put(key, 'a')],
  ['stage', (storage, key) => storage.stage(key, 'a')],
  ['get', (storage, key) => storage.get(key)],
  ['getBytes', (storage, key) => storage.getBytes(key)],
  ['info', (storage, key) => storage.info(key)],
  ['exists', (storage, key) => storage.exists(key)],
  ['delete', (storage, key) => storage.delete(key, { force: true })],
  ['url', (storage, key) => storage.url(key)],
  ['uploadUrl', (storage, key) => storage.uploadUrl(key, { expiresIn: 60 })],
  ['copy from', (storage, key) => storage.copy(key, 'destination')],
  ['copy to', (storage, key) => storage.copy('source', key)],
  ['move from', (storage, key) => storage.move(key, 'destination')],
  ['move to', (storage, key) => storage.move('source', key)],
];

const byMethod: readonly CheckBody[] = METHODS.map(([method, call]) => ({
  name: `${method} refuses a key that breaks a rule, and changes nothing`,
  fresh: true,
  run: async (context) => {
    const { storage } = context;
    const source = await storage.put('source', 'source');
    for (const key of ['', 'a\0b', '\ud83d', 'x'.repeat(context.capabilities.maxKeyBytes + 1)]) {
      await context.rejects(call(storage, key), 'INVALID_KEY');
    }
    expectListed(storage, await collect(storage.list()), [source]);
  },
}));

const notStrings: readonly CheckBody[] = (
  [
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['an object', { toString: () => 'a' }],
  ] as const
).map(([what, key]) => ({
  name: `${what} is refused as a key`,
  run: (context) => expectRefused(context, context.storage, key as unknown as string, 'type'),
}));

export const keyRules = promise(
  'A key that breaks a rule is refused with an InvalidKeyError that names the rule',
  BAD_KEYS.map(([what, key, rule]) => ({
    name: `${what} is refused by the rule ${rule}`,
    run: (context) => expectRefused(context, context.storage, key, rule),
  })),
  notStrings,
  {
    name: 'a key of one byte more than the capabilities say is refused by the rule too-long',
    run: async (context) => {
      const most = context.capabilities.maxKeyBytes;
      await expectRefused(context, context.storage, 'x'.repeat(most + 1), 'too-long');
      await expectRefused(context, context.storage, '€'.repeat(Math.floor(most / 3) + 1), 'too-long');
    },
  },
  {
    name: 'a key is measured in its canonical form',
    fresh: true,
    run: async ({ storage, capabilities }) => {
      const given = `${'./'.repeat(capabilities.maxKeyBytes)}a`;
      assert.equal((await storage.put(given, 'a')).key, 'a');
    },
  },
  byMethod,
  {
    name: 'put destroys the source of a key that is refused, unread',
    run: async (context) => {
      const source = new PushedSource();
      await context.rejects(context.storage.put('a\0b', source), 'INVALID_KEY');
      assert.deepEqual([source.destroyed, source.asked], [true, false]);
    },
  },
  {
    name: 'deleteMany reports a key that breaks a rule as failed, and deletes the others',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      const report = await storage.deleteMany([key('a'), `${key('b')}\0`]);
      assert.deepEqual(report.deleted, [key('a')]);
      assert.deepEqual(
        report.failed.map((failure) => failure.key),
        [`${key('b')}\0`],
      );
      context.expectError(report.failed[0]?.error, 'INVALID_KEY', { operation: 'deleteMany' });
    },
  },
  ['/a', 'a//b', 'a/./b', 'a/../b', 'a\\b', '../a', 'a/'].map((key) => ({
    name: `${JSON.stringify(key)} is refused by the rule not-canonical where keys are strict`,
    fresh: { keys: 'strict' as const },
    run: async (context) => {
      await expectRefused(context, context.storage, key, 'not-canonical');
      assert.deepEqual(await collect(context.storage.list()), []);
    },
  })),
  {
    name: 'a canonical key is taken as it is where keys are strict',
    fresh: { keys: 'strict' },
    run: async ({ storage }) => {
      for (const key of ['a', 'a/b', '.env', '..foo', 'a..', ' a ', 'a%2Fb']) {
        assert.equal((await storage.put(key, key)).key, key);
        await expectContent(storage, key, key);
      }
    },
  },
);
