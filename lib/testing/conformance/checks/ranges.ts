import assert from 'node:assert/strict';
import type { ByteRange } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { expectSameBytes, expectSameFile, readAll } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';

const TEXT = '0123456789';

const reads = (what: string, range: ByteRange, expected: string, offset: number): CheckBody => ({
  name: `get reads ${what}`,
  run: async ({ storage, key }) => {
    const file = await storage.put(key('a'), TEXT);
    const stream = await storage.get(key('a'), { range });
    assert.equal((await readAll(stream)).toString(), expected);
    assert.deepEqual({ ...stream.range }, { offset, length: expected.length });
    expectSameFile(storage, stream.file, file); // that of the whole object
    assert.equal((await storage.getBytes(key('a'), { range })).toString(), expected);
  },
});

const refuses = (what: string, body: string, range: ByteRange): CheckBody => ({
  name: `get refuses ${what}, and says the size`,
  run: async (context) => {
    const { storage, key } = context;
    await storage.put(key('a'), body);
    const error = await context.rejects(storage.get(key('a'), { range }), 'RANGE_NOT_SATISFIABLE', {
      operation: 'get',
      key: key('a'),
    });
    assert.equal((error as { size?: unknown }).size, body.length);
    await context.rejects(storage.getBytes(key('a'), { range }), 'RANGE_NOT_SATISFIABLE', { operation: 'getBytes' });
  },
});

export const ranges = promise(
  'get with a range reads exactly that part, clamped to the end',
  reads('from the first byte', { offset: 0, length: 4 }, '0123', 0),
  reads('the middle', { offset: 3, length: 4 }, '3456', 3),
  reads('one byte', { offset: 5, length: 1 }, '5', 5),
  reads('the last byte', { offset: 9, length: 1 }, '9', 9),
  reads('from an offset to the end', { offset: 7 }, '789', 7),
  reads('the whole from offset 0', { offset: 0 }, TEXT, 0),
  reads('a length past the end, clamped', { offset: 8, length: 100 }, '89', 8),
  reads('a length of 2^53 - 1, clamped', { offset: 1, length: Number.MAX_SAFE_INTEGER }, '123456789', 1),
  reads('the last bytes by suffix', { suffix: 3 }, '789', 7),
  reads('a suffix as long as the object', { suffix: 10 }, TEXT, 0),
  reads('a suffix longer than the object, clamped', { suffix: 1000 }, TEXT, 0),
  {
    name: 'get without a range says none',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), TEXT);
      const stream = await storage.get(key('a'));
      stream.destroy();
      assert.equal(stream.range, undefined);
    },
  },
  {
    name: '100 random ranges of a large object equal its slices',
    run: async ({ storage, key, limits, random }) => {
      const bytes = bytesOf(limits.largeObject, 21);
      await storage.put(key('a'), bytes);
      for (let round = 0; round < 100; round++) {
        const offset = random.integer(0, bytes.length - 1);
        const length = random.pick([1, 2, 100, 65_536, 100_000]);
        const read =
          round % 2 === 0
            ? await storage.getBytes(key('a'), { range: { offset, length } })
            : await readAll(await storage.get(key('a'), { range: { offset, length } }));
        expectSameBytes(read, bytes.subarray(offset, offset + length), `seed ${random.seed}: ${offset}+${length}`);
      }
      await storage.delete(key('a'));
    },
  },
  {
    name: 'ranges across the borders of pieces equal slices',
    run: async ({ storage, key, limits }) => {
      const most = Math.max(...limits.borderSizes);
      const bytes = bytesOf(most + 10, 22);
      await storage.put(key('a'), bytes);
      for (const border of limits.borderSizes) {
        const range = { offset: border - 3, length: 7 };
        const read = await readAll(await storage.get(key('a'), { range }));
        expectSameBytes(read, bytes.subarray(border - 3, border + 4), `the bytes around ${border}`);
      }
    },
  },
);

export const rangesRefused = promise(
  'get refuses a range that starts past the end, and says the size',
  refuses('an offset at the size', TEXT, { offset: 10 }),
  refuses('an offset past the size', TEXT, { offset: 11, length: 1 }),
  refuses('an offset far past the size', TEXT, { offset: Number.MAX_SAFE_INTEGER }),
  refuses('offset 0 of an empty object', '', { offset: 0 }),
  refuses('a suffix of an empty object', '', { suffix: 5 }),
);

export const getConditions = promise(
  'get with a condition reads only the version that was meant',
  {
    name: 'ifMatch reads the version it names, with a range too',
    run: async ({ storage, key }) => {
      const { etag } = await storage.put(key('a'), TEXT);
      assert.equal((await readAll(await storage.get(key('a'), { ifMatch: etag }))).toString(), TEXT);
      const stream = await storage.get(key('a'), { ifMatch: etag, range: { offset: 8 } });
      assert.equal((await readAll(stream)).toString(), '89');
    },
  },
  {
    name: 'ifMatch refuses another version, whether or not the range would fit',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), TEXT);
      await storage.put(key('a'), 'another');
      for (const range of [undefined, { offset: 1 }, { offset: 1000 }]) {
        await context.rejects(storage.get(key('a'), { ifMatch: etag, range }), 'PRECONDITION_FAILED', {
          operation: 'get',
          key: key('a'),
        });
      }
    },
  },
  {
    name: 'ifNoneMatch refuses the version it names, and reads another',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), TEXT);
      await context.rejects(storage.get(key('a'), { ifNoneMatch: etag }), 'PRECONDITION_FAILED', { operation: 'get' });
      await storage.put(key('a'), 'another');
      const stream = await storage.get(key('a'), { ifNoneMatch: etag });
      assert.equal((await readAll(stream)).toString(), 'another');
    },
  },
  {
    name: 'a condition on a missing key is about a missing key',
    run: async (context) => {
      const call = context.storage.get(context.key('missing'), { ifMatch: 'version' });
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: 'get' });
    },
  },
);
