import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoredFileStream } from '../../../contract/index.js';
import { promise, type CheckContext } from '../check.js';
import { expectSameBytes, readAll } from '../expect-stored.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { streamInChunks } from '../sources/streams.js';

/** Waits until a stream has let go of what it held. */
async function closed(stream: StoredFileStream): Promise<void> {
  if (!stream.closed) await once(stream, 'close');
}

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

const snapshot = (
  what: string,
  change: (context: CheckContext) => Promise<unknown>,
): Parameters<typeof promise>[1] => ({
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

export const getRejects = promise(
  'get rejects at the call, before a byte, when there is no object',
  ...(['get', 'getBytes'] as const).map((method) => ({
    name: `${method} of a missing key rejects and names the key`,
    run: async (context: CheckContext) => {
      const call = context.storage[method](context.key('missing'));
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: method, key: context.key('missing') });
    },
  })),
  {
    name: 'get of a prefix of keys rejects: a folder is no object',
    run: async (context) => {
      await context.storage.put(context.key('folder/a'), 'a');
      for (const name of ['folder', 'folder/']) {
        await context.rejects(context.storage.get(context.key(name)), 'FILE_NOT_FOUND', { key: context.key('folder') });
      }
    },
  },
  {
    name: 'get of a key below an object rejects',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'a');
      await context.rejects(context.storage.get(context.key('a/b')), 'FILE_NOT_FOUND', { key: context.key('a/b') });
    },
  },
  {
    name: 'get of a key that was deleted rejects',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'a');
      await context.storage.delete(context.key('a'));
      await context.rejects(context.storage.get(context.key('a')), 'FILE_NOT_FOUND', { key: context.key('a') });
    },
  },
  {
    name: 'get of a missing key rejects whatever range is asked for',
    run: async (context) => {
      const call = context.storage.get(context.key('missing'), { range: { offset: 10 } });
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: 'get' });
    },
  },
);

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

export const getReleases = promise(
  'get releases its source at once on break, destroy and abort, and an unread stream harms nobody',
  {
    name: 'leaving a stream by break, 20 times, leaves no file open',
    run: async ({ storage, key, limits }) => {
      await storage.put(key('a'), bytesOf(limits.largeObject));
      const before = openFiles();
      for (let round = 0; round < 20; round++) {
        const stream = await storage.get(key('a'));
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          assert.ok(chunk.length > 0);
          break;
        }
        assert.equal(stream.destroyed, true);
        await closed(stream);
      }
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
      await storage.delete(key('a'));
    },
  },
  {
    name: 'reading to the end, 20 times, leaves no file open',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(200_000));
      const before = openFiles();
      for (let round = 0; round < 20; round++) {
        const stream = await storage.get(key('a'));
        await readAll(stream);
        await closed(stream);
      }
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'destroying a stream that nobody has read leaves no file open, and raises nothing',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(200_000));
      const before = openFiles();
      for (const reason of [undefined, new Error('not needed any more')]) {
        const stream = await storage.get(key('a'));
        stream.destroy(reason);
        await closed(stream);
      }
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'a sink that fails closes the stream',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(500_000));
      const before = openFiles();
      const stream = await storage.get(key('a'));
      const failure = new Error('the sink broke');
      const sink = new Writable({
        write: (_chunk, _encoding, callback) => {
          callback(failure);
        },
      });
      await assert.rejects(pipeline(stream, sink), failure);
      await closed(stream);
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'a signal that fires in the middle of reading ends the stream with an AbortError',
    run: async (context) => {
      const { storage, key, limits } = context;
      await storage.put(key('a'), bytesOf(limits.largeObject));
      const before = openFiles();
      const controller = new AbortController();
      const stream = await storage.get(key('a'), { signal: controller.signal });
      const failure = await readAll(abortAfterFirst(stream, controller)).catch((error: unknown) => error);
      context.expectError(failure, 'ABORTED', { operation: 'get', key: key('a') });
      await closed(stream);
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
      await storage.delete(key('a'));
    },
  },
  {
    name: 'a signal that fires after the call ends a stream that nobody has read, and raises nothing',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(200_000));
      const before = openFiles();
      const controller = new AbortController();
      const stream = await storage.get(key('a'), { signal: controller.signal });
      controller.abort();
      await closed(stream);
      assert.equal(stream.destroyed, true);
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
);

export const getReadsAhead = promise(
  'get reads ahead only a bounded part',
  {
    name: 'a stream whose reader waits holds at most a part of a large object',
    run: async ({ storage, key, limits }) => {
      await storage.put(key('a'), bytesOf(limits.largeObject));
      const stream = await storage.get(key('a'));
      await once(stream, 'readable');
      // The object is read by others meanwhile: time enough for a stream that does not stop at its mark.
      for (let round = 0; round < 5; round++) await storage.getBytes(key('a'));
      const bound = Math.max(stream.readableHighWaterMark * 2, 1024 * 1024);
      assert.ok(stream.readableLength <= bound, `${stream.readableLength} bytes were read ahead, more than ${bound}`);
      assert.ok(stream.readableLength < limits.largeObject, 'the whole object was read ahead');
      stream.destroy();
      await storage.delete(key('a'));
    },
  },
  {
    name: 'a slow reader gets every byte',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(1_000_000);
      await storage.put(key('a'), bytes);
      const chunks: Buffer[] = [];
      const slow = new Writable({
        highWaterMark: 1,
        write: (chunk: Buffer, _encoding, callback) => {
          chunks.push(chunk);
          setImmediate(callback);
        },
      });
      await pipeline(await storage.get(key('a')), slow);
      expectSameBytes(Buffer.concat(chunks), bytes);
    },
  },
);

export const getBytesGives = promise(
  'getBytes gives the same bytes as get',
  ...[0, 1, 65_536, 65_537, 1_000_000].map((size) => ({
    name: `getBytes of ${size} bytes gives what get streams`,
    run: async ({ storage, key }: CheckContext) => {
      await storage.put(key('a'), bytesOf(size));
      const bytes = await storage.getBytes(key('a'));
      assert.ok(Buffer.isBuffer(bytes), 'getBytes must give a Buffer');
      expectSameBytes(bytes, await readAll(await storage.get(key('a'))));
      assert.equal(bytes.length, size);
    },
  })),
  {
    name: 'getBytes takes range and conditions as get does',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), '0123456789');
      assert.equal(
        (await storage.getBytes(key('a'), { range: { offset: 2, length: 3 }, ifMatch: etag })).toString(),
        '234',
      );
      assert.equal((await storage.getBytes(key('a'), { range: { suffix: 2 } })).toString(), '89');
      await context.rejects(storage.getBytes(key('a'), { range: { offset: 10 } }), 'RANGE_NOT_SATISFIABLE', {
        operation: 'getBytes',
      });
      await context.rejects(storage.getBytes(key('a'), { ifMatch: `${etag}x` }), 'PRECONDITION_FAILED');
      await context.rejects(storage.getBytes(key('a'), { ifNoneMatch: etag }), 'PRECONDITION_FAILED');
    },
  },
  {
    name: 'getBytes leaves no file open',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(200_000));
      await storage.getBytes(key('a'));
      const before = openFiles();
      for (let round = 0; round < 20; round++) await storage.getBytes(key('a'), { range: { offset: round } });
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
);

async function* abortAfterFirst(stream: StoredFileStream, controller: AbortController): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk;
    controller.abort();
  }
}
