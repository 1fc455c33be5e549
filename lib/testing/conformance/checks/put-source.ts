import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import type { Storage } from '../../../contract/index.js';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { expectContent, expectMissing } from '../expect-stored.js';
import { bufferBytes, collectGarbage, liveBufferBytes, residentBytes } from '../measure/live-memory.js';
import { bytesOf } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { failingStream } from '../sources/streams.js';

/** An async source that records how it is used. */
class RecordedSource implements AsyncIterable<Uint8Array> {
  iterators = 0;
  returned = 0;
  taken = 0;
  pending = 0;
  mostPending = 0;
  readonly #chunks: number;
  readonly #failure: Error | undefined;

  constructor(chunks: number, failure?: Error) {
    this.#chunks = chunks;
    this.#failure = failure;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.iterators++;
    return {
      next: async () => {
        this.mostPending = Math.max(this.mostPending, ++this.pending);
        await Promise.resolve();
        this.pending--;
        if (this.taken === this.#chunks) {
          if (this.#failure !== undefined) throw this.#failure;
          return { done: true, value: undefined };
        }
        this.taken++;
        return { done: false, value: Buffer.alloc(100, this.taken) };
      },
      return: () => {
        this.returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** Refusals that come before the source is needed. */
const REFUSALS: readonly (readonly [
  string,
  (storage: Storage, key: string, source: PushedSource) => Promise<unknown>,
])[] = [
  ['the key is refused', (storage, key, source) => storage.put(`${key}\0`, source)],
  ['an attribute is refused', (storage, key, source) => storage.put(key, source, { contentType: 'no type' })],
  ['the signal has fired', (storage, key, source) => storage.put(key, source, { signal: AbortSignal.abort() })],
  ['stage refuses the key', (storage, key, source) => storage.stage(`${key}\0`, source)],
];

const refusals: readonly CheckBody[] = REFUSALS.map(([why, call]) => ({
  name: `put destroys a source that it does not read, where ${why}`,
  run: async ({ storage, key }) => {
    const source = new PushedSource();
    await assert.rejects(call(storage, key('a'), source));
    assert.equal(source.destroyed, true, 'the source was not destroyed');
    assert.equal(source.asked, false, 'the source was read');
  },
}));

/** Chunks that are new memory each time, all of one pattern that tells the position. */
function* patternOf(size: number, chunk: number, look: (passed: number) => void): Generator<Buffer> {
  for (let passed = 0; passed < size; passed += chunk) {
    look(passed);
    yield Buffer.alloc(Math.min(chunk, size - passed), (passed / chunk) & 0xff);
  }
}

/** How much a process may grow until its garbage is collected, beside what is alive, in bytes. */
const MOST_GARBAGE = 64 * 1024 * 1024;

/** Passes a large object through put and get, and asks now and then what is alive. */
async function expectBoundedMemory({ storage, key, limits }: CheckContext): Promise<void> {
  const chunk = 64 * 1024;
  const before = liveBufferBytes();
  const residentBefore = residentBytes();
  const every = Math.ceil(limits.memoryObject / 8 / chunk) * chunk;
  const excess = (passed: number): string | undefined => {
    const live = bufferBytes() - before;
    const bound = limits.memoryBound;
    if (live > bound) return `${live} bytes of buffers are alive after ${passed} bytes, more than ${bound}`;
    const resident = residentBytes() - residentBefore;
    // what lies between two collections comes on top, and must not be all that there is to hold
    const most = bound + Math.min(MOST_GARBAGE, limits.memoryObject / 2);
    if (resident > most) return `the process has grown by ${resident} bytes after ${passed}, more than ${most}`;
    return undefined;
  };
  let exceeded: string | undefined;
  const look = (passed: number): void => {
    if (passed % every !== 0) return;
    collectGarbage();
    if (excess(passed) === undefined) return;
    // what a buffer's finalizer frees is counted by the next one
    collectGarbage();
    exceeded ??= excess(passed);
  };
  await storage.put(key('large'), Readable.from(patternOf(limits.memoryObject, chunk, look), { objectMode: false }));
  assert.equal(exceeded, undefined, `put: ${exceeded}`);
  let passed = 0;
  let looked = 0;
  for await (const piece of (await storage.get(key('large'))) as AsyncIterable<Buffer>) {
    // every chunk of the pattern says where it belongs: its first byte is enough
    assert.equal(piece[0], Math.floor(passed / chunk) & 0xff, `another byte at ${passed}`);
    passed += piece.length;
    if (passed - looked >= every) {
      look(Math.floor(passed / every) * every);
      looked = passed;
    }
  }
  assert.equal(passed, limits.memoryObject);
  assert.equal(exceeded, undefined, `get: ${exceeded}`);
  await storage.delete(key('large'));
}

export const putSource = promise(
  'put reads a source once, destroys it on failure, and holds only a bounded part of it in memory',
  {
    name: 'put asks an async source for one iterator, and for one chunk at a time',
    run: async ({ storage, key }) => {
      const source = new RecordedSource(50);
      await storage.put(key('a'), source);
      assert.deepEqual([source.iterators, source.taken, source.mostPending], [1, 50, 1]);
    },
  },
  {
    name: 'put asks an async source that failed for no second iterator',
    run: async (context) => {
      const source = new RecordedSource(5, new Error('failed'));
      await context.rejects(context.storage.put(context.key('a'), source), 'SOURCE_FAILED');
      assert.deepEqual([source.iterators, source.taken], [1, 5]);
    },
  },
  {
    name: 'put destroys a Node stream that failed',
    run: async (context) => {
      const source = failingStream([Buffer.from('a')], new Error('failed'));
      await context.rejects(context.storage.put(context.key('a'), source), 'SOURCE_FAILED');
      assert.equal(source.destroyed, true);
    },
  },
  {
    name: 'put ends the iterator of a source that it gives up',
    run: async (context) => {
      const source = new RecordedSource(1_000_000);
      await context.rejects(context.storage.put(context.key('a'), source, { size: 1000 }), 'INTEGRITY_FAILED');
      assert.equal(source.returned, 1, 'the iterator was not ended');
    },
  },
  {
    name: 'put cancels a web stream that it gives up',
    run: async (context) => {
      let cancelled = false;
      const source = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          controller.enqueue(new Uint8Array(1000));
        },
        cancel: () => {
          cancelled = true;
        },
      });
      await context.rejects(context.storage.put(context.key('a'), source, { size: 1500 }), 'INTEGRITY_FAILED');
      assert.equal(cancelled, true, 'the web stream was not cancelled');
    },
  },
  refusals,
  {
    name: 'put reads a source to its end, and raises no error on it',
    run: async ({ storage, key }) => {
      const source = new PushedSource();
      const put = storage.put(key('a'), source);
      await source.give('bytes');
      source.end();
      await put;
      assert.deepEqual([source.readableEnded, source.errored], [true, null]);
    },
  },
  {
    name: 'put takes a slow source, however long it says nothing',
    run: async ({ storage, key }) => {
      const source = new PushedSource();
      const put = storage.put(key('slow'), source);
      for (const letter of 'abc') {
        await source.give(letter);
        // others are served meanwhile
        await storage.put(key(letter), letter);
      }
      source.end();
      await put;
      await expectContent(storage, key('slow'), 'abc');
    },
  },
  {
    name: 'put passes a large object on in bounded memory, and so does get',
    needs: 'persistent',
    fresh: true,
    patience: 3,
    run: expectBoundedMemory,
  },
  {
    name: 'put keeps nothing of a source that was aborted',
    run: async (context) => {
      const { storage, key } = context;
      const before = liveBufferBytes();
      for (let round = 0; round < 5; round++) {
        const controller = new AbortController();
        const source = new PushedSource();
        const put = storage.put(key('a'), source, { signal: controller.signal });
        void put.catch(() => undefined);
        for (let piece = 0; piece < 8; piece++) await source.give(bytesOf(1024 * 1024, piece));
        controller.abort();
        await context.rejects(put, 'ABORTED');
      }
      const kept = liveBufferBytes() - before;
      assert.ok(kept < 20 * 1024 * 1024, `${kept} bytes are alive after five aborted puts of 8 MiB`);
      await expectMissing(storage, key('a'));
    },
  },
);
