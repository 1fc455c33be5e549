import assert from 'node:assert/strict';
import { Blob } from 'node:buffer';
import { Readable } from 'node:stream';
import type { StorageData } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { expectContent, expectSameBytes, readAll } from '../expect-stored.js';
import { bytesOf, chunksOf, sha256 } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { generate, streamInChunks, streamOf, webStreamOf } from '../sources/streams.js';

const HELLO = Buffer.from('hello, wörld');

/** The same bytes in every kind of body. */
const KINDS: readonly (readonly [string, (bytes: Buffer) => StorageData])[] = [
  ['a Buffer', (bytes) => bytes],
  ['a Uint8Array', (bytes) => new Uint8Array(bytes)],
  ['a string, as UTF-8', (bytes) => bytes.toString('utf8')],
  ['a Node stream', (bytes) => streamOf(bytes)],
  ['a Node stream in object mode', (bytes) => Readable.from([bytes], { objectMode: true })],
  ['a Node stream that decodes', (bytes) => streamOf(bytes).setEncoding('utf8')],
  ['a web stream', (bytes) => webStreamOf(bytes)],
  ['an async generator', (bytes) => generate(bytes)],
  ['a Blob', (bytes) => new Blob([bytes])],
];

const EMPTY: readonly (readonly [string, () => StorageData])[] = [
  ['an empty Buffer', () => Buffer.alloc(0)],
  ['an empty string', () => ''],
  ['an empty Node stream', () => Readable.from([])],
  ['an empty web stream', () => webStreamOf()],
  ['an async generator that yields nothing', () => generate()],
  ['an empty Blob', () => new Blob([])],
];

const kinds: readonly CheckBody[] = KINDS.map(([kind, make]) => ({
  name: `put stores ${kind}`,
  run: async ({ storage, key }) => {
    const file = await storage.put(key('a'), make(HELLO));
    assert.equal(file.size, HELLO.length);
    await expectContent(storage, key('a'), HELLO);
  },
}));

const empty: readonly CheckBody[] = EMPTY.map(([kind, make]) => ({
  name: `put stores ${kind} as an object of no bytes`,
  run: async ({ storage, key }) => {
    assert.equal((await storage.put(key('a'), make())).size, 0);
    await expectContent(storage, key('a'), '');
    assert.equal(await storage.exists(key('a')), true);
  },
}));

const chunkSizes: readonly CheckBody[] = [1, 7, 65_537].map((size) => ({
  name: `put joins chunks of ${size} bytes`,
  run: async ({ storage, key }) => {
    const bytes = bytesOf(size === 1 ? 3000 : size * 5 + 3, size);
    await storage.put(key('a'), streamInChunks(bytes, size));
    await expectContent(storage, key('a'), bytes);
  },
}));

const misfits: readonly (readonly [string, () => unknown])[] = [
  ['a number', () => 42],
  ['null', () => null],
  ['undefined', () => undefined],
  ['an array', () => ['a']],
  ['a plain object', () => ({ length: 1 })],
  ['a promise', () => Promise.resolve('a')],
  ['an ArrayBuffer', () => new ArrayBuffer(4)],
  ['a stream that yields numbers', () => Readable.from([1, 2], { objectMode: true })],
];

export const putBodies = promise(
  'put takes every kind of body, of any length, known or unknown',
  kinds,
  empty,
  chunkSizes,
  {
    name: 'put stores one byte',
    run: async ({ storage, key }) => {
      assert.equal((await storage.put(key('a'), streamOf('x'))).size, 1);
      await expectContent(storage, key('a'), 'x');
    },
  },
  {
    name: 'put skips empty chunks between others',
    run: async ({ storage, key }) => {
      const none = new Uint8Array(0);
      await storage.put(key('a'), generate(none, Buffer.from('a'), none, none, Buffer.from('b'), none));
      await expectContent(storage, key('a'), 'ab');
    },
  },
  {
    name: 'put stores only the part that a view shows of its memory',
    run: async ({ storage, key }) => {
      const memory = bytesOf(4096);
      await storage.put(key('view'), new Uint8Array(memory.buffer, memory.byteOffset + 1000, 96));
      await storage.put(key('streamed'), streamOf(memory.subarray(1000, 1096)));
      await expectContent(storage, key('view'), memory.subarray(1000, 1096));
      await expectContent(storage, key('streamed'), memory.subarray(1000, 1096));
    },
  },
  {
    name: 'put keeps its bytes when the caller changes the buffer afterwards',
    run: async ({ storage, key }) => {
      for (const size of [10, 300_000]) {
        const bytes = bytesOf(size);
        const original = Buffer.from(bytes);
        await storage.put(key(`whole-${size}`), bytes);
        await storage.put(key(`streamed-${size}`), streamInChunks(bytes, 65_536));
        bytes.fill(0);
        await expectContent(storage, key(`whole-${size}`), original);
        await expectContent(storage, key(`streamed-${size}`), original);
      }
    },
  },
  {
    name: 'put stores a stream whose text is cut inside a character',
    run: async ({ storage, key }) => {
      const text = Buffer.from('a😀b');
      // one piece after the other has been taken: a stream's reader may get what waits in one
      const source = new PushedSource();
      const put = storage.put(key('a'), source);
      for (const piece of chunksOf(text, 2)) await source.give(piece);
      source.end();
      await put;
      await expectContent(storage, key('a'), text);
    },
  },
  {
    name: 'put stores a large stream of unknown length, byte for byte',
    run: async ({ storage, key, limits }) => {
      const bytes = bytesOf(limits.largeObject, 5);
      const file = await storage.put(key('a'), streamInChunks(bytes, 65_536));
      assert.equal(file.size, bytes.length);
      assert.equal(sha256(await readAll(await storage.get(key('a')))), sha256(bytes));
      await storage.delete(key('a'));
    },
  },
  {
    name: 'put stores a large stream of declared length, byte for byte',
    run: async ({ storage, key, limits }) => {
      const bytes = bytesOf(limits.largeObject, 6);
      const file = await storage.put(key('a'), generate(...chunksOf(bytes, 100_000)), { size: bytes.length });
      assert.equal(file.size, bytes.length);
      assert.equal(sha256(await storage.getBytes(key('a'))), sha256(bytes));
      await storage.delete(key('a'));
    },
  },
  {
    name: 'put stores a large buffer, byte for byte',
    run: async ({ storage, key, limits }) => {
      const bytes = bytesOf(limits.largeObject, 7);
      await storage.put(key('a'), bytes);
      assert.equal(sha256(await readAll(await storage.get(key('a')))), sha256(bytes));
      await storage.delete(key('a'));
    },
  },
  {
    name: 'put keeps sizes around the borders of pieces',
    run: async ({ storage, key, limits }) => {
      for (const size of limits.borderSizes) {
        const bytes = bytesOf(size, size);
        await storage.put(key(`stream-${size}`), streamInChunks(bytes, 50_001));
        await storage.put(key(`buffer-${size}`), bytes);
        for (const kind of ['stream', 'buffer']) {
          expectSameBytes(await readAll(await storage.get(key(`${kind}-${size}`))), bytes, `${kind} of ${size}`);
          await storage.delete(key(`${kind}-${size}`));
        }
      }
    },
  },
  {
    name: 'put stores 20 keys at once, each with its own bytes and attributes',
    run: async ({ storage, key }) => {
      const numbers = Array.from({ length: 20 }, (_, number) => number);
      await Promise.all(
        numbers.map((number) =>
          storage.put(key(`${number}`), streamInChunks(bytesOf(10_000 + number, number), 999), {
            metadata: { number: `${number}` },
          }),
        ),
      );
      for (const number of numbers) {
        await expectContent(storage, key(`${number}`), bytesOf(10_000 + number, number));
        assert.deepEqual((await storage.info(key(`${number}`))).metadata, { number: `${number}` });
      }
    },
  },
  misfits.map(([kind, make]) => ({
    name: `put refuses ${kind} as a body`,
    run: async (context) => {
      const call = context.storage.put(context.key('a'), make() as StorageData);
      await context.rejects(call, 'INVALID_ARGUMENT', { operation: 'put', key: context.key('a') });
      assert.equal(await context.storage.exists(context.key('a')), false);
    },
  })),
  {
    name: 'put refuses a stream that was destroyed before',
    run: async (context) => {
      const source = streamOf('gone');
      source.destroy();
      await context.rejects(context.storage.put(context.key('a'), source), 'INVALID_ARGUMENT', { operation: 'put' });
      assert.equal(await context.storage.exists(context.key('a')), false);
    },
  },
  {
    name: 'put refuses a stream that failed before',
    run: async (context) => {
      const source = streamOf('gone');
      source.on('error', () => undefined);
      source.destroy(new Error('failed before'));
      await context.rejects(context.storage.put(context.key('a'), source), 'INVALID_ARGUMENT', { operation: 'put' });
      assert.equal(await context.storage.exists(context.key('a')), false);
    },
  },
  {
    name: 'put refuses a stream that was read to its end before',
    run: async (context) => {
      const source = streamOf('gone');
      await readAll(source);
      await context.rejects(context.storage.put(context.key('a'), source), 'INVALID_ARGUMENT', { operation: 'put' });
      assert.equal(await context.storage.exists(context.key('a')), false);
    },
  },
  {
    name: 'put refuses a web stream that is locked to another reader',
    run: async (context) => {
      const source = webStreamOf(Buffer.from('taken'));
      source.getReader();
      await context.rejects(context.storage.put(context.key('a'), source), 'INVALID_ARGUMENT', { operation: 'put' });
      assert.equal(await context.storage.exists(context.key('a')), false);
    },
  },
);
