import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Checksum, PutOptions, StorageData } from '../../../contract/index.js';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { expectContent, expectMissing, expectUnchanged } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { generate, streamInChunks, streamOf } from '../sources/streams.js';

const BYTES = bytesOf(100_000);

const CHECKSUMS = {
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  md5: createHash('md5').update(BYTES).digest('hex'),
  crc32: crc32(BYTES).toString(16).padStart(8, '0'),
} as const satisfies Checksum;

const WAYS: readonly (readonly [string, () => StorageData])[] = [
  ['bytes', () => BYTES],
  ['a stream', () => streamInChunks(BYTES, 9999)],
];

const accepted = (what: string, options: PutOptions): readonly CheckBody[] =>
  WAYS.map(([way, make]) => ({
    name: `put of ${way} takes ${what}`,
    run: async ({ storage, key }) => {
      await storage.put(key('a'), make(), options);
      await expectContent(storage, key('a'), BYTES);
    },
  }));

const refused = (what: string, options: PutOptions): readonly CheckBody[] =>
  WAYS.flatMap(([way, make]) => [
    {
      name: `put of ${way} refuses ${what}, and stores nothing`,
      run: async (context: CheckContext) => {
        const { storage, key } = context;
        await context.rejects(storage.put(key('a'), make(), options), 'INTEGRITY_FAILED', {
          operation: 'put',
          key: key('a'),
        });
        await expectMissing(storage, key('a'));
        await context.expectNoLeftovers();
      },
    },
    {
      name: `put of ${way} refuses ${what}, and keeps the old object`,
      run: async (context: CheckContext) => {
        const { storage, key } = context;
        const old = await storage.put(key('a'), 'old', { metadata: { version: 'old' } });
        await context.rejects(storage.put(key('a'), make(), options), 'INTEGRITY_FAILED');
        await expectUnchanged(storage, old, 'old');
        await context.expectNoLeftovers();
      },
    },
  ]);

const altered = (hex: string): string => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);

export const putIntegrity = promise(
  'put refuses a body that does not match its declared size or checksum',
  accepted('the right size', { size: BYTES.length }),
  refused('a size that is too small', { size: BYTES.length - 1 }),
  refused('a size that is too large', { size: BYTES.length + 1 }),
  refused('a size of nothing', { size: 0 }),
  (['sha256', 'md5', 'crc32'] as const).flatMap((algorithm) => [
    ...accepted(`the right ${algorithm}`, { checksum: { [algorithm]: CHECKSUMS[algorithm] } }),
    ...refused(`a wrong ${algorithm}`, { checksum: { [algorithm]: altered(CHECKSUMS[algorithm]) } }),
  ]),
  accepted('size and all three checksums together', { size: BYTES.length, checksum: CHECKSUMS }),
  refused('one wrong checksum among right ones', { checksum: { ...CHECKSUMS, md5: altered(CHECKSUMS.md5) } }),
  {
    name: 'put of an empty stream takes size 0 and the checksums of nothing',
    run: async ({ storage, key }) => {
      const checksum = {
        sha256: createHash('sha256').digest('hex'),
        md5: createHash('md5').digest('hex'),
        crc32: '00000000',
      };
      await storage.put(key('a'), generate(), { size: 0, checksum });
      await expectContent(storage, key('a'), '');
    },
  },
  {
    name: 'put stops reading a source that is longer than its declared size',
    run: async (context) => {
      const { storage, key } = context;
      let taken = 0;
      // eslint-disable-next-line @typescript-eslint/require-await -- an async source whose chunks are at hand
      async function* endless(): AsyncGenerator<Buffer> {
        for (;;) {
          taken++;
          yield Buffer.alloc(1000);
        }
      }
      await context.rejects(storage.put(key('a'), endless(), { size: 5000 }), 'INTEGRITY_FAILED');
      assert.ok(taken <= 200, `${taken} chunks were read of a source that should have had 5`);
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'stage refuses a wrong size and a wrong checksum before there is anything to commit',
    run: async (context) => {
      const { storage, key } = context;
      await context.rejects(storage.stage(key('a'), streamOf('abc'), { size: 2 }), 'INTEGRITY_FAILED', {
        operation: 'stage',
        key: key('a'),
      });
      await context.rejects(storage.stage(key('a'), 'abc', { checksum: { crc32: '00000000' } }), 'INTEGRITY_FAILED');
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
);
