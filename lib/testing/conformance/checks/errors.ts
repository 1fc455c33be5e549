import assert from 'node:assert/strict';
import { format, inspect } from 'node:util';
import { PreconditionFailedError, type Storage } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { expectNoSecret } from '../expect-error.js';
import { failingStream } from '../sources/streams.js';

/** What needs an object and finds none. */
const NEED_AN_OBJECT: readonly (readonly [
  'get' | 'getBytes' | 'info' | 'delete' | 'copy' | 'move',
  (storage: Storage, key: string) => Promise<unknown>,
])[] = [
  ['get', (storage, key) => storage.get(key)],
  ['getBytes', (storage, key) => storage.getBytes(key)],
  ['info', (storage, key) => storage.info(key)],
  ['delete', (storage, key) => storage.delete(key)],
  ['copy', (storage, key) => storage.copy(key, `${key}-copy`)],
  ['move', (storage, key) => storage.move(key, `${key}-moved`)],
];

const missing: readonly CheckBody[] = NEED_AN_OBJECT.map(([method, call]) => ({
  name: `the error of ${method} names code, operation, storage and canonical key, and is not worth trying again`,
  run: async (context) => {
    const { storage, key } = context;
    const error = await context.rejects(call(storage, `/${key('x/../missing')}`), 'FILE_NOT_FOUND', {
      operation: method,
      ...(method === 'copy' || method === 'move' ? undefined : { key: key('missing') }),
    });
    assert.equal(error.name, 'FileNotFoundError');
    assert.equal(error.retryable, false);
    assert.ok(error.stack?.includes('FileNotFoundError'), 'the stack names the error');
  },
}));

export const errors = promise(
  'Every error is a StorageError with code, operation, storage, key and cause, and shows no path of the machine',
  missing,
  {
    name: 'all errors of one storage name it alike',
    run: async (context) => {
      const { storage, key } = context;
      const errors = [
        await context.rejects(storage.get(key('missing')), 'FILE_NOT_FOUND'),
        await context.rejects(storage.put(key('a'), 'a', { size: 2 }), 'INTEGRITY_FAILED'),
        await context.rejects(storage.put('', 'a'), 'INVALID_KEY'),
        await context.rejects(storage.put(key('a'), failingStream([], new Error('broke'))), 'SOURCE_FAILED'),
        await context.rejects(storage.exists(key('a'), { signal: AbortSignal.abort() }), 'ABORTED'),
      ];
      assert.equal(new Set(errors.map((error) => error.storage)).size, 1);
    },
  },
  {
    name: 'the cause of a failed source is its own error',
    run: async (context) => {
      const failure = Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
      const error = await context.rejects(
        context.storage.put(context.key('a'), failingStream([Buffer.from('a')], failure)),
        'SOURCE_FAILED',
        { operation: 'put', key: context.key('a') },
      );
      assert.equal(error.cause, failure);
    },
  },
  {
    name: 'the cause of an aborted call is the reason of its signal',
    run: async (context) => {
      const reason = new Error('changed my mind');
      const call = context.storage.put(context.key('a'), 'a', { signal: AbortSignal.abort(reason) });
      const error = await context.rejects(call, 'ABORTED', { operation: 'put', key: context.key('a') });
      assert.equal(error.cause, reason);
      assert.equal(error.retryable, false);
    },
  },
  {
    name: 'a failed condition and a refused argument are not worth trying again',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'a');
      const condition = await context.rejects(storage.get(key('a'), { ifNoneMatch: etag }), 'PRECONDITION_FAILED');
      const range = await context.rejects(storage.get(key('a'), { range: { offset: 9 } }), 'RANGE_NOT_SATISFIABLE');
      const argument = await context.rejects(storage.get(key('a'), { range: { offset: -1 } }), 'INVALID_ARGUMENT');
      const integrity = await context.rejects(storage.put(key('a'), 'a', { size: 5 }), 'INTEGRITY_FAILED');
      for (const error of [condition, range, argument, integrity]) assert.equal(error.retryable, false, error.name);
    },
  },
  {
    name: 'a FileExistsError is a PreconditionFailedError too',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      const error = await context.rejects(storage.put(key('a'), 'b', { ifNoneMatch: '*' }), 'FILE_EXISTS');
      assert.equal(error.name, 'FileExistsError');
      assert.ok(error instanceof PreconditionFailedError);
      assert.equal(error.retryable, false);
    },
  },
  {
    name: 'keys that look like paths of the machine are only keys in errors',
    run: async (context) => {
      const { storage, key } = context;
      for (const name of ['../../../etc/passwd-of-nobody', '/etc/passwd-of-nobody', 'a/../../b-of-nobody']) {
        await context.rejects(storage.get(key(name)), 'FILE_NOT_FOUND');
        await context.rejects(storage.delete(name), 'FILE_NOT_FOUND');
      }
    },
  },
  {
    name: 'conflicts of names below one another show no path',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      await storage.put(key('b/c'), 'c');
      for (const name of ['a/b', 'a/b/c', 'b', `b/c/${'x'.repeat(300)}`]) {
        await context.rejects(storage.get(key(name)), 'FILE_NOT_FOUND', { key: key(name) });
        await context.rejects(storage.delete(key(name)), 'FILE_NOT_FOUND', { key: key(name) });
        await context.rejects(storage.copy(key(name), key('d')), 'FILE_NOT_FOUND');
      }
    },
  },
  {
    name: 'the storage shows nothing of its configuration when it is logged, printed or serialized',
    run: ({ storage, secrets }) => {
      const printed = [inspect(storage, { depth: 5 }), JSON.stringify(storage), format('%s %o', storage, storage)];
      for (const text of printed) {
        expectNoSecret(text, secrets);
      }
      return Promise.resolve();
    },
  },
);
