import assert from 'node:assert/strict';
import type { StorageData, StorageErrorCode, StoredFile } from '../../../contract/index.js';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectUnchanged, keysOf, readAll } from '../expect-stored.js';
import { openFiles, stillOpen } from '../measure/open-files.js';
import { bytesOf } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { EndlessStream, failingStream, failingWebStream, streamOf } from '../sources/streams.js';
import { Watched } from '../watched.js';

const OLD = { metadata: { version: 'old' }, contentType: 'text/x-old' } as const;
const NEW = { metadata: { version: 'new' }, contentType: 'text/x-new' } as const;

/** Three pieces, large enough that a backend has begun to write when the last one fails. */
const PIECES = [bytesOf(150_000, 1), bytesOf(150_000, 2), bytesOf(150_000, 3)] as const;

/** A put that fails leaves things as they were, with and without an old object. */
function failing(
  how: string,
  attempt: (context: CheckContext, key: string) => Promise<unknown>,
  code: StorageErrorCode,
): readonly CheckBody[] {
  return [false, true].map((replaces) => ({
    name: replaces
      ? `put that fails because ${how} keeps the old object`
      : `put that fails because ${how} leaves nothing`,
    run: async (context) => {
      const { storage, prefix } = context;
      const key = context.key('folder/a');
      await storage.put(context.key('sibling'), 'sibling');
      const old = replaces ? await storage.put(key, 'old', OLD) : undefined;
      const listedBefore = await collect(storage.list(prefix));
      const filesBefore = openFiles();

      await context.rejects(attempt(context, key), code, { operation: 'put', key });

      if (old === undefined) await expectMissing(storage, key);
      else await expectUnchanged(storage, old, 'old');
      assert.deepEqual(await collect(storage.list(prefix)), listedBefore);
      const entries = await collect(storage.listEntries(prefix));
      assert.equal(entries.length, replaces ? 2 : 1, 'a folder is shown in which there is nothing');
      await context.expectNoLeftovers();
      assert.deepEqual(await stillOpen(filesBefore), [], 'a file is still open');
      await storage.put(key, 'next', NEW);
      await expectContent(storage, key, 'next');
    },
  }));
}

const broken = new Error('the source broke');

async function* breakingGenerator(): AsyncGenerator<Uint8Array> {
  yield* PIECES;
  await Promise.reject(broken);
}

/** Aborts a put once the storage has taken a part of its source. */
async function abortInTheMiddle({ storage }: CheckContext, key: string): Promise<unknown> {
  const controller = new AbortController();
  const source = new PushedSource();
  const put = storage.put(key, source, { ...NEW, signal: controller.signal });
  void put.catch(() => undefined);
  await source.give(PIECES[0]);
  controller.abort();
  return put;
}

async function abortEndless({ storage }: CheckContext, key: string): Promise<unknown> {
  const controller = new AbortController();
  const source = new EndlessStream();
  const put = storage.put(key, source, { ...NEW, signal: controller.signal });
  void put.catch(() => undefined);
  await new Promise<void>((resolve) => {
    const look = (): void => {
      // one that was given up too early gives nothing more
      if (source.taken > 1_000_000 || source.destroyed) resolve();
      else setImmediate(look);
    };
    look();
  });
  controller.abort();
  return put;
}

const source =
  (make: () => StorageData) =>
  ({ storage }: CheckContext, key: string): Promise<unknown> =>
    storage.put(key, make(), NEW);

export const putAllOrNothing = promise(
  'put is all or nothing: a failure leaves the old object intact and no trace of the new one',
  failing(
    'its source fails before the first byte',
    source(() => failingStream([], broken)),
    'SOURCE_FAILED',
  ),
  failing(
    'its source fails in the middle',
    source(() => failingStream([PIECES[0]], broken)),
    'SOURCE_FAILED',
  ),
  failing(
    'its source fails after the last chunk',
    source(() => failingStream(PIECES, broken)),
    'SOURCE_FAILED',
  ),
  failing(
    'its source closes early without an error',
    source(() => failingStream([PIECES[0]], 'closes')),
    'SOURCE_FAILED',
  ),
  failing('its generator throws', source(breakingGenerator), 'SOURCE_FAILED'),
  failing(
    'its web stream fails',
    source(() => failingWebStream(PIECES, broken)),
    'SOURCE_FAILED',
  ),
  failing(
    'its source is destroyed by a stranger',
    async ({ storage }, key) => {
      const pushed = new PushedSource();
      const put = storage.put(key, pushed, NEW);
      void put.catch(() => undefined);
      await pushed.give(PIECES[0]);
      pushed.destroy();
      return put;
    },
    'SOURCE_FAILED',
  ),
  failing(
    'its signal had fired before',
    ({ storage }, key) => storage.put(key, 'new', { ...NEW, signal: AbortSignal.abort() }),
    'ABORTED',
  ),
  failing('its signal fires in the middle', abortInTheMiddle, 'ABORTED'),
  failing('its signal fires while an endless source runs', abortEndless, 'ABORTED'),
  failing(
    'onProgress throws',
    ({ storage }, key) =>
      storage.put(key, streamOf(...PIECES), {
        ...NEW,
        onProgress: () => {
          throw broken;
        },
      }),
    'SOURCE_FAILED',
  ),
  {
    name: 'the error of a failed source is the cause of the error of put',
    run: async (context) => {
      const put = context.storage.put(context.key('a'), failingStream([PIECES[0]], broken));
      const error = await context.rejects(put, 'SOURCE_FAILED', { operation: 'put' });
      assert.equal(error.cause, broken);
    },
  },
  {
    name: 'a signal that fires after put has settled changes nothing',
    run: async ({ storage, key }) => {
      const controller = new AbortController();
      const file = await storage.put(key('a'), 'stored', { signal: controller.signal });
      controller.abort();
      await expectUnchanged(storage, file, 'stored');
    },
  },
  {
    name: 'the new object is neither readable nor listed before it is whole',
    run: async (context) => {
      const { storage, prefix } = context;
      const key = context.key('folder/a');
      const pushed = new PushedSource();
      const put = storage.put(key, pushed, NEW);
      for (const piece of PIECES) {
        await pushed.give(piece);
        await expectMissing(storage, key);
        assert.deepEqual(await collect(storage.list(prefix)), []);
        assert.deepEqual(await collect(storage.listEntries(prefix)), []);
      }
      pushed.end();
      await put;
      await expectContent(storage, key, Buffer.concat(PIECES));
    },
  },
  {
    name: 'the old object is readable, bytes and attributes, while the new one is written',
    run: async ({ storage, key, prefix }) => {
      const old = await storage.put(key('a'), 'old', OLD);
      const pushed = new PushedSource();
      const put = storage.put(key('a'), pushed, NEW);
      for (const piece of PIECES) {
        await pushed.give(piece);
        await expectUnchanged(storage, old, 'old');
        assert.deepEqual(await keysOf(storage.list(prefix)), [key('a')]);
      }
      pushed.end();
      await expectUnchanged(storage, await put, Buffer.concat(PIECES));
    },
  },
  {
    name: 'a reader sees one whole version, bytes and attributes together, at every moment of many overwrites',
    run: async ({ storage, key }) => {
      const versions = [1, 2, 3].map((number) => bytesOf(60_000 * number, number));
      const write = (number: number): Promise<StoredFile> =>
        storage.put(key('a'), versions[number % 3] ?? '', { metadata: { number: `${number % 3}` } });
      await write(0);
      const writeMany = async (): Promise<void> => {
        for (let number = 1; number <= 40; number++) await write(number);
      };
      const writer = new Watched(writeMany());
      let reads = 0;
      while (!writer.settled || reads < 3) {
        const stream = await storage.get(key('a'));
        const { metadata, size } = stream.file;
        const bytes = await readAll(stream);
        assert.equal(bytes.length, size, 'the bytes have the size of their file');
        assert.ok(bytes.equals(versions[Number(metadata['number'])] ?? Buffer.alloc(0)), 'bytes of another version');
        reads++;
        // a storage that answers from memory would be asked for ever, and its writer never have a turn
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writer.promise;
    },
  },
  {
    name: 'put against delete on one key leaves a whole object or none',
    run: async (context) => {
      const { storage, key } = context;
      for (let round = 0; round < 20; round++) {
        await storage.put(key('a'), 'old', OLD);
        const [file] = await Promise.all([
          storage.put(key('a'), bytesOf(50_000, round), NEW),
          storage.delete(key('a'), { force: true }),
        ]);
        if (await storage.exists(key('a'))) await expectUnchanged(storage, file, bytesOf(50_000, round));
        else await expectMissing(storage, key('a'));
      }
      await context.expectNoLeftovers();
    },
  },
);
