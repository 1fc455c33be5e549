import assert from 'node:assert/strict';
import type { StoredFileStream } from '../../../contract/index.js';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { expectSameBytes, readAll } from '../expect-stored.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { streamInChunks } from '../sources/streams.js';

/** Opens a large object and reads its first chunk, so that most of it is still to come. */
async function halfRead({ storage, key, limits }: CheckContext): Promise<{
  readonly bytes: Buffer;
  readonly stream: StoredFileStream;
  rest(): Promise<Buffer>;
}> {
  const bytes = bytesOf(limits.largeObject, 11);
  await storage.put(key('large'), streamInChunks(bytes, 65_536), { metadata: { version: 'old' } });
  const stream = await storage.get(key('large'));
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await iterator.next();
  assert.notEqual(first.done, true);
  const rest = async (): Promise<Buffer> =>
    Buffer.concat([Buffer.from(first.value as Uint8Array), await readAll({ [Symbol.asyncIterator]: () => iterator })]);
  return { bytes, stream, rest };
}

const snapshot = (what: string, change: (context: CheckContext) => Promise<unknown>): CheckBody => ({
  name: `a reader reads the whole old object when it is ${what} meanwhile`,
  run: async (context) => {
    const { bytes, stream, rest } = await halfRead(context);
    const file = stream.file;
    await change(context);
    const read = await rest();
    assert.equal(read.length, bytes.length);
    assert.equal(sha256(read), sha256(bytes));
    assert.deepEqual(stream.file, file);
    assert.deepEqual(file.metadata, { version: 'old' });
    await context.storage.deletePrefix(context.prefix);
  },
});

export const getSnapshot = promise(
  'get reads the snapshot it opened, whatever happens to the key meanwhile',
  snapshot('overwritten', ({ storage, key }) => storage.put(key('large'), 'new', { metadata: { version: 'new' } })),
  snapshot('deleted', ({ storage, key }) => storage.delete(key('large'))),
  snapshot('deleted and put again', async ({ storage, key }) => {
    await storage.delete(key('large'));
    await storage.put(key('large'), bytesOf(100_000));
  }),
  snapshot('moved away', ({ storage, key }) => storage.move(key('large'), key('elsewhere'))),
  snapshot('replaced by a copy', async ({ storage, key }) => {
    await storage.put(key('other'), 'other');
    await storage.copy(key('other'), key('large'));
  }),
  {
    name: 'file and body of a stream that was opened before an overwrite belong together',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'old bytes', { metadata: { version: 'old' } });
      const stream = await storage.get(key('a'));
      await storage.put(key('a'), 'newer bytes', { metadata: { version: 'new' } });
      assert.deepEqual([stream.file.size, stream.file.metadata['version']], [9, 'old']);
      assert.equal((await readAll(stream)).toString(), 'old bytes');
    },
  },
  {
    name: 'two readers of one object do not disturb each other',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(500_000);
      await storage.put(key('a'), bytes);
      const [one, two] = await Promise.all([storage.get(key('a')), storage.get(key('a'))]);
      const read = await Promise.all([readAll(one), readAll(two)]);
      for (const each of read) expectSameBytes(each, bytes);
    },
  },
  {
    name: 'a reader that changes the chunks it got does not change the object',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(100_000);
      await storage.put(key('a'), bytes);
      for await (const chunk of (await storage.get(key('a'))) as AsyncIterable<Buffer>) chunk.fill(0);
      (await storage.getBytes(key('a'))).fill(0);
      expectSameBytes(await storage.getBytes(key('a')), bytes);
    },
  },
);
