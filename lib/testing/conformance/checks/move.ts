import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { expectContent, expectMissing, expectUnchanged, keysOf } from '../expect-stored.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { Watched } from '../watched.js';
import { ATTRIBUTES } from './transfer.js';

export const moves = promise(
  'move removes the source only after the destination is committed',
  {
    name: 'at every moment of a move the object can be read under one of its two keys',
    run: async ({ storage, key, limits }) => {
      const bytes = bytesOf(Math.min(limits.largeObject, 2_000_000), 6);
      await storage.put(key('a'), bytes);
      const move = new Watched(storage.move(key('a'), key('b')));
      let looks = 0;
      while (!move.settled || looks < 2) {
        // the source first: an object that goes from there to the destination between the two questions is seen at the second
        const there = (await storage.exists(key('a'))) || (await storage.exists(key('b')));
        assert.ok(there, 'the object is under neither key');
        looks++;
        // a storage that answers from memory would be asked for ever, and its move never have a turn
        await new Promise((resolve) => setImmediate(resolve));
      }
      await move.promise;
      await expectMissing(storage, key('a'));
      assert.equal(sha256(await storage.getBytes(key('b'))), sha256(bytes));
    },
  },
  {
    name: 'a move that is refused keeps the source',
    run: async (context) => {
      const { storage, key } = context;
      const file = await storage.put(key('a'), 'a');
      await context.rejects(storage.move(key('a'), `${key('b')}\0`), 'INVALID_KEY', { operation: 'move' });
      await expectUnchanged(storage, file, 'a');
    },
  },
  {
    name: 'a chain of moves keeps bytes and attributes',
    run: async ({ storage, key, prefix }) => {
      await storage.put(key('0'), 'traveller', ATTRIBUTES);
      for (let step = 0; step < 10; step++) await storage.move(key(`${step}`), key(`${step + 1}`));
      await expectContent(storage, key('10'), 'traveller');
      assert.deepEqual((await storage.info(key('10'))).metadata, ATTRIBUTES.metadata);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('10')]);
    },
  },
  {
    name: 'two objects change places by three moves',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a', { metadata: { n: 'a' } });
      await storage.put(key('b'), 'b', { metadata: { n: 'b' } });
      await storage.move(key('a'), key('c'));
      await storage.move(key('b'), key('a'));
      await storage.move(key('c'), key('b'));
      await expectContent(storage, key('a'), 'b');
      await expectContent(storage, key('b'), 'a');
      assert.deepEqual((await storage.info(key('a'))).metadata, { n: 'b' });
    },
  },
);

export const movesRace = promise('move has one winner when several race for one source', {
  name: 'of ten moves of one source to ten places one succeeds, and nothing is doubled or lost',
  run: async (context) => {
    const { storage, key, prefix } = context;
    for (let round = 0; round < 5; round++) {
      await storage.put(key('a'), `round ${round}`, { metadata: { r: `${round}` } });
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, number) => storage.move(key('a'), key(`to/${number}`))),
      );
      const winners = results.flatMap((result, number) => (result.status === 'fulfilled' ? [number] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_NOT_FOUND', { operation: 'move' });
      }
      assert.equal(winners.length, 1, `${winners.length} moves were told that they had won`);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key(`to/${winners[0] ?? ''}`)]);
      await expectContent(storage, key(`to/${winners[0] ?? ''}`), `round ${round}`);
      await storage.delete(key(`to/${winners[0] ?? ''}`));
    }
  },
});
