import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoredFileStream } from '../../../contract/index.js';
import { promise } from '../check.js';
import { rejectionOf } from '../expect-error.js';
import { readAll } from '../expect-stored.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { bytesOf } from '../sources/bytes.js';
import { streamClosed } from '../stream-closed.js';

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
        await streamClosed(stream);
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
        await streamClosed(stream);
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
        await streamClosed(stream);
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
      assert.equal(await rejectionOf(pipeline(stream, sink)), failure);
      await streamClosed(stream);
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
      await streamClosed(stream);
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
      await streamClosed(stream);
      assert.equal(stream.destroyed, true);
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
