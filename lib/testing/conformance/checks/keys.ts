import assert from 'node:assert/strict';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import {
  collect,
  expectContent,
  expectMissing,
  expectSameFile,
  expectUnchanged,
  keysOf,
  readAll,
} from '../expect-stored.js';
import { sha256 } from '../sources/bytes.js';
import { LOOK_ALIKE, ODD_KEYS, PRINTABLE, SANITIZED } from './odd-keys.js';
import { randomKey } from './random-key.js';

/** Takes a key through every method that has one. */
async function expectOwnObject({ storage, prefix }: CheckContext, key: string): Promise<void> {
  const body = `the object ${key}`;
  const metadata = { of: sha256(Buffer.from(key)) };
  const file = await storage.put(key, body, { metadata });
  assert.equal(file.key, key);
  await expectUnchanged(storage, file, body);
  assert.equal(await storage.exists(key), true);
  const stream = await storage.get(key);
  assert.equal(stream.file.key, key);
  assert.equal((await readAll(stream)).toString(), body);
  assert.deepEqual(await keysOf(storage.list(prefix)), [key]);
  assert.deepEqual(await keysOf(storage.list(key)), [key]);
  assert.equal(new URL(await storage.url(key)).href.length > 0, true, 'the URL is one');

  const copy = await storage.copy(key, `${prefix}elsewhere/copy`);
  assert.deepEqual(copy.metadata, metadata);
  await storage.delete(key);
  await expectMissing(storage, key);
  const moved = await storage.move(`${prefix}elsewhere/copy`, key);
  assert.deepEqual([moved.key, moved.metadata], [key, metadata]);
  const staged = await storage.stage(key, 'staged');
  await expectUnchanged(storage, moved, body);
  await staged.commit();
  await expectContent(storage, key, 'staged');
  assert.deepEqual(await storage.deleteMany([key]), { deleted: [key], failed: [] });
  assert.deepEqual(await collect(storage.list(prefix)), []);
}

const oddKeys: readonly CheckBody[] = ODD_KEYS.map((name) => ({
  name: `the key ${JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)} is an object of its own`,
  run: (context) => expectOwnObject(context, context.key(name)),
}));

const lookAlike: readonly CheckBody[] = LOOK_ALIKE.map(([one, other]) => ({
  name: `${JSON.stringify(one)} and ${JSON.stringify(other)} (${codePoints(one)} and ${codePoints(other)}) are two objects`,
  run: async ({ storage, key, prefix }) => {
    const first = await storage.put(key(one), 'one', { metadata: { n: '1' } });
    await expectMissing(storage, key(other));
    await storage.put(key(other), 'other', { metadata: { n: '2' } });
    await expectUnchanged(storage, first, 'one');
    assert.equal((await collect(storage.list(prefix))).length, 2);
    await storage.delete(key(other));
    await expectUnchanged(storage, first, 'one');
  },
}));

const sanitized: readonly CheckBody[] = SANITIZED.map(([given, canonical]) => ({
  name: `${JSON.stringify(given)} is the object ${JSON.stringify(canonical)}`,
  fresh: true,
  run: async ({ storage }) => {
    const file = await storage.put(given, 'body');
    assert.equal(file.key, canonical);
    await expectUnchanged(storage, file, 'body');
    expectSameFile(storage, await storage.info(given), file);
    assert.equal((await storage.getBytes(given)).toString(), 'body');
    assert.equal(await storage.exists(given), true);
    // what signs a URL may be another in the next second
    assert.equal((await storage.url(given)).split('?')[0], (await storage.url(canonical)).split('?')[0]);
    assert.deepEqual(await keysOf(storage.list()), [canonical]);
    await storage.delete(given);
    await expectMissing(storage, canonical);
  },
}));

/** Names at the top, where a backend would keep what is its own. */
const OWN_NAMES = ['.storages', '.storages/attrs/a', '.tmp', '.meta', '.attrs', '.git', 'temp', 'lost+found', '.json'];

const nested: readonly CheckBody[] = [
  ['a', 'a/b'],
  ['a/b', 'a'],
].flatMap(([first = '', second = '']) =>
  [
    [first, second],
    [second, first],
  ].map(([deletedFirst = '', deletedLast = '']) => ({
    name: `${first} and then ${second} live side by side, and go as ${deletedFirst} and then ${deletedLast}`,
    run: async ({ storage, key, prefix }: CheckContext) => {
      await storage.put(key(first), first, { metadata: { name: first } });
      await storage.put(key(second), second, { metadata: { name: second } });
      for (const name of [first, second]) {
        await expectContent(storage, key(name), name);
        assert.deepEqual((await storage.info(key(name))).metadata, { name });
      }
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('a'), key('a/b')]);
      await storage.put(key(first), 'again');
      await expectContent(storage, key(first), 'again');
      await storage.delete(key(deletedFirst));
      await expectMissing(storage, key(deletedFirst));
      await expectContent(storage, key(deletedLast), deletedLast === first ? 'again' : second);
      await storage.delete(key(deletedLast));
      assert.deepEqual(await collect(storage.list(prefix)), []);
    },
  })),
);

const longKey = (prefix: string, bytes: number): string =>
  `${prefix}${'part/'.repeat(Math.floor((bytes - prefix.length) / 5))}${'x'.repeat((bytes - prefix.length) % 5)}`.replace(
    /\/$/,
    'y',
  );

export const keys = promise(
  'A key is made canonical, and every canonical key is an object of its own',
  sanitized,
  oddKeys,
  {
    name: 'every printable ASCII character may stand in a key',
    run: (context) => expectOwnObject(context, context.key(`a${PRINTABLE}z`)),
  },
  {
    name: 'every printable ASCII character alone is a key of its own',
    run: async ({ storage, key, prefix }) => {
      // a dot alone is no key
      const characters = Array.from(PRINTABLE).filter((character) => character !== '.');
      for (const character of characters) await storage.put(key(character), character);
      for (const character of characters) await expectContent(storage, key(character), character);
      assert.deepEqual(await keysOf(storage.list(prefix)), characters.map((character) => key(character)).sort());
    },
  },
  lookAlike,
  nested,
  {
    name: 'an object may lie at every level of a path at once',
    run: async ({ storage, key, prefix }) => {
      const names = ['a/b/c/d', 'a', 'a/b/c', 'a/b'];
      for (const name of names) await storage.put(key(name), name);
      for (const name of names) await expectContent(storage, key(name), name);
      assert.deepEqual(await keysOf(storage.list(prefix)), names.sort().map(key));
      await storage.delete(key('a/b'));
      for (const name of ['a', 'a/b/c', 'a/b/c/d']) await expectContent(storage, key(name), name);
    },
  },
  {
    name: 'a folder that has become empty hinders no object of its name, and the other way round',
    run: async ({ storage, key }) => {
      await storage.put(key('a/b/c'), 'deep');
      await storage.delete(key('a/b/c'));
      await storage.put(key('a'), 'flat');
      await expectContent(storage, key('a'), 'flat');
      await storage.delete(key('a'));
      await storage.put(key('a/b'), 'deep again');
      await expectContent(storage, key('a/b'), 'deep again');
      await expectMissing(storage, key('a'));
    },
  },
  OWN_NAMES.map((name) => ({
    name: `${name} is a key like any other, also at the top`,
    fresh: true,
    run: (context) => expectOwnObject(context, name),
  })),
  [254, 255, 256, 1000].map((bytes) => ({
    name: `a part of ${bytes} bytes may stand in a key`,
    fresh: true,
    run: async (context) => {
      await expectOwnObject(context, 'x'.repeat(bytes));
      await expectOwnObject(context, `a/${'y'.repeat(bytes)}/z`);
    },
  })),
  {
    name: 'parts that begin with the same 1,000 bytes are different objects',
    run: async ({ storage, key }) => {
      const start = 'x'.repeat(980);
      await storage.put(key(`${start}1`), '1');
      await storage.put(key(`${start}2`), '2');
      await expectContent(storage, key(`${start}1`), '1');
      await expectContent(storage, key(`${start}2`), '2');
    },
  },
  {
    name: 'a key may have as many bytes as the capabilities say, in many parts, in one, and beyond ASCII',
    run: async (context) => {
      const { prefix, capabilities } = context;
      const most = capabilities.maxKeyBytes;
      const room = most - prefix.length;
      for (const key of [
        longKey(prefix, most),
        prefix + 'x'.repeat(room),
        prefix + '€'.repeat(Math.floor(room / 3)) + 'x'.repeat(room % 3),
      ]) {
        assert.equal(Buffer.byteLength(key), most);
        await expectOwnObject(context, key);
      }
    },
  },
  {
    name: 'what is put under random keys is listed once, in order, and read back under each',
    run: async ({ storage, key, prefix, random, limits }) => {
      const bodies = new Map<string, string>();
      for (let round = 0; round < limits.randomKeys; round++) {
        const given = key(randomKey(random));
        const file = await storage.put(given, `body ${round}`);
        bodies.set(file.key, `body ${round}`);
      }
      const hint = `seed ${random.seed}`;
      const byBytes = [...bodies.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await keysOf(storage.list(prefix)), byBytes, hint);
      for (const [canonical, body] of bodies) {
        assert.equal((await storage.getBytes(canonical)).toString(), body, `${hint}: ${JSON.stringify(canonical)}`);
      }
      for (const canonical of bodies.keys()) await storage.delete(canonical);
      assert.deepEqual(await collect(storage.list(prefix)), [], hint);
    },
  },
);

function codePoints(text: string): string {
  return Array.from(text)
    .map((character) => (character.codePointAt(0) ?? 0).toString(16))
    .join(' ');
}
