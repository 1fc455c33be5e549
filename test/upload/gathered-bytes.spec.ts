import { describe, expect, it } from '@jest/globals';
import { ByteStream } from '../../lib/upload/file/byte-stream.js';
import { GatheredBytes } from '../../lib/upload/file/gathered-bytes.js';
import { SIGNATURE_BYTES } from '../../lib/upload/file/content-type-of-bytes.js';
import { HEAD_BYTES, IncomingBytes } from '../../lib/upload/file/incoming-bytes.js';

const MIB = 1024 * 1024;

/** Bytes that tell whether one is missing or out of its place. */
const bytesOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => index % 251));

/** Cuts bytes into slices of these sizes, again and again. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('Gathered bytes', () => {
  it.each([[[1]], [[255]], [[256]], [[257]], [[1, 256]], [[300, 1, 1]], [[1, 1, 70_000]], [[255, 16_384, 3, 511]]])(
    'are as they came, in slices of %j',
    (sizes) => {
      const bytes = bytesOf(200_003);
      const gathered = new GatheredBytes();
      for (const slice of cut(bytes, sizes)) gathered.add(slice);
      expect(gathered.size).toBe(bytes.length);
      expect(gathered.slices).toHaveLength(gathered.length);
      expect(Buffer.concat(gathered.slices).equals(bytes)).toBe(true);
      expect(Buffer.concat(gathered.take()).equals(bytes)).toBe(true);
      expect([gathered.size, gathered.length, gathered.slices]).toEqual([0, 0, []]);
    },
  );

  it.each([1, 2, 10, 100, 255])('that come in slices of %i are held in pieces of 16 KiB', (size) => {
    const gathered = new GatheredBytes();
    for (const slice of cut(bytesOf(MIB), [size])) gathered.add(slice);
    expect(gathered.length).toBeLessThanOrEqual(MIB / (16 * 1024 - 255) + 1);
    // nothing else is held with them
    const held = gathered.slices.reduce((sum, slice) => sum + slice.buffer.byteLength, 0);
    expect(held).toBeLessThanOrEqual(MIB + 16 * 1024 * 2);
  });

  it('are not copied where they come in large slices, or alone', () => {
    const slices = [Buffer.alloc(256), Buffer.alloc(64 * 1024)];
    const gathered = new GatheredBytes();
    for (const slice of slices) gathered.add(slice);
    expect(gathered.take().map((slice, index) => slice === slices[index])).toEqual([true, true]);
    const alone = Buffer.from('x');
    gathered.add(alone);
    expect(gathered.take()[0]).toBe(alone);
  });
});

describe('A file that comes byte by byte', () => {
  it('is held in few slices until its beginning has been looked at', async () => {
    const bytes = bytesOf(HEAD_BYTES + 50_000);
    const incoming = new IncomingBytes(undefined, () => undefined);
    for (const slice of cut(bytes, [1])) incoming.give(slice);
    const head = await incoming.head;
    expect(head.bytes.equals(bytes.subarray(0, head.bytes.length))).toBe(true);
    expect(head.bytes.length).toBeGreaterThanOrEqual(SIGNATURE_BYTES);
    const stream = incoming.open();
    incoming.passOn();
    incoming.end();
    const chunks = (await stream.toArray()) as Buffer[];
    expect(chunks.length).toBeLessThanOrEqual(10);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('waits in few slices for a reader that is slow', async () => {
    const bytes = bytesOf(200_000);
    const stream = new ByteStream(() => undefined);
    for (const slice of cut(bytes, [1])) stream.give(slice);
    stream.finish();
    const chunks = (await stream.toArray()) as Buffer[];
    expect(chunks.length).toBeLessThanOrEqual(4096 + 200_000 / (16 * 1024 - 255) + 1);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it.each([
    ['by events', (stream: ByteStream, take: (chunk: Buffer) => void) => stream.on('data', take)],
    [
      'with pauses',
      (stream: ByteStream, take: (chunk: Buffer) => void) =>
        stream.on('data', (chunk: Buffer) => {
          take(chunk);
          stream.pause();
          setImmediate(() => stream.resume());
        }),
    ],
    [
      'as an iterable',
      async (stream: ByteStream, take: (chunk: Buffer) => void) => {
        for await (const chunk of stream) take(chunk as Buffer);
      },
    ],
  ])('reaches a reader %s whole and in order, whatever it is mixed with', async (_how, read) => {
    const bytes = bytesOf(600_000);
    let wake: () => void = () => undefined;
    const stream = new ByteStream(() => {
      wake();
    });
    const chunks: Buffer[] = [];
    void read(stream, (chunk) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.once('end', resolve));
    let given = 0;
    for (const slice of cut(bytes, [1, 1, 9000, 1, 255, 1, 1])) {
      stream.give(slice);
      if (stream.full)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      else if (++given % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    stream.finish();
    await ended;
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
});
