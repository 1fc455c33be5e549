import { Readable } from 'node:stream';
import type { BaseStorage, CopyOptions } from '../../../lib/contract/index.js';
import type { Changes } from '../judge/history.js';
import { bodyOf, optionsOf } from './version.js';

/** One call of a storage, alone, whose system calls can be counted. */
export interface Operation {
  readonly changes: Changes;
  run(storage: BaseStorage): Promise<unknown>;
}

const LARGE = 'aold.1-140000';
const SMALL = 'aold.2-100';
const PLAIN = 'pold.3-100';

/** What is there before each of them. */
export const PREPARED: ReadonlyMap<string, string> = new Map([
  ['folder/large', LARGE],
  ['folder/small', SMALL],
  ['plain', PLAIN],
  ['alone/in/folders', SMALL],
]);

function put(key: string, version: string, createOnly = false): Operation {
  const options = { ...optionsOf(version), ...(createOnly ? { ifNoneMatch: '*' as const } : {}) };
  return { changes: { [key]: version }, run: (storage) => storage.put(key, bodyOf(version), options) };
}

function putStream(key: string, version: string): Operation {
  return {
    changes: { [key]: version },
    run: (storage) => storage.put(key, Readable.from([bodyOf(version)], { objectMode: false }), optionsOf(version)),
  };
}

function remove(key: string): Operation {
  return { changes: { [key]: null }, run: (storage) => storage.delete(key) };
}

function move(from: string, to: string, version: string, options: CopyOptions = {}): Operation {
  return { changes: { [from]: null, [to]: version }, run: (storage) => storage.move(from, to, options) };
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  put: put('folder/new', 'anew.1-100'),
  'put in a new folder': put('new/folder/new', 'pnew.2-200'),
  'put of a stream': putStream('folder/new', 'anew.3-150000'),
  'put to create only': put('folder/new', 'anew.4-100', true),
  overwrite: put('folder/small', 'anew.5-120'),
  'overwrite without attributes': put('plain', 'pnew.6-120'),
  'overwrite by a stream': putStream('folder/large', 'anew.7-150000'),
  delete: remove('folder/large'),
  'delete of the last in its folders': remove('alone/in/folders'),
  move: move('folder/large', 'moved/large', LARGE),
  'move onto another': move('folder/large', 'folder/small', LARGE),
  'move to create only': move('folder/large', 'moved/large', LARGE, { ifNoneMatch: '*' }),
  copy: { changes: { 'folder/copy': LARGE }, run: (storage) => storage.copy('folder/large', 'folder/copy') },
  'stage and commit': {
    changes: { 'folder/small': 'anew.8-9000' },
    run: async (storage) =>
      (await storage.stage('folder/small', bodyOf('anew.8-9000'), optionsOf('anew.8-9000'))).commit(),
  },
  'stage and abort': {
    changes: {},
    run: async (storage) => (await storage.stage('folder/small', bodyOf('anew.9-90000'))).abort(),
  },
};

/** Every key that there may be. */
export const OPERATION_KEYS: readonly string[] = [
  ...new Set([...PREPARED.keys(), ...Object.values(OPERATIONS).flatMap(({ changes }) => Object.keys(changes))]),
];
