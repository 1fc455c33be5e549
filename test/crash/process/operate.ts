// Does one thing after the other with a store, as it is told by its standard input: operate.ts <store> <variant> <folder>
import { createInterface } from 'node:readline';
import type { BaseStorage } from '../../../lib/contract/index.js';
import type { Changes } from '../judge/history.js';
import { storeNamed } from '../stores/index.js';
import { OPERATION_KEYS, OPERATIONS, PREPARED, type Operation } from '../workload/operations.js';
import { bodyOf, optionsOf } from '../workload/version.js';
import { say, sayInventory } from './say.js';

const [, , name, variant = '', folder = ''] = process.argv;
const store = storeNamed(name);
let opened: BaseStorage | undefined;
let steps = 0;

function storage(): BaseStorage {
  if (opened === undefined) throw new Error('The store is not open.');
  return opened;
}

async function step(changes: Changes, work: () => Promise<unknown>): Promise<void> {
  const id = `${process.pid}.${steps++}`;
  say('begin', id, changes);
  try {
    await work();
    say('done', id);
  } catch (error) {
    say('failed', id, String(error), codeOf(error));
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'none';
}

async function open(): Promise<void> {
  opened ??= store.open(folder, variant);
  await opened.open();
}

async function close(): Promise<void> {
  const closing = opened;
  opened = undefined;
  await closing?.close();
}

/** Everything as it was before. */
async function prepare(): Promise<void> {
  for (const key of OPERATION_KEYS) {
    const version = PREPARED.get(key);
    if (version === undefined) await step({ [key]: null }, () => storage().delete(key, { force: true }));
    else await step({ [key]: version }, () => storage().put(key, bodyOf(version), optionsOf(version)));
  }
}

/** Whether it still does what a storage does. */
async function use(): Promise<void> {
  const body = bodyOf('ause-70000');
  await storage().put('use', body);
  if (!(await storage().getBytes('use')).equals(body)) throw new Error('It gives other bytes than it was given.');
  await storage().delete('use');
}

function operation(named: string): Operation {
  const known = store.operations[named] ?? OPERATIONS[named];
  if (known === undefined) throw new Error(`There is no operation ${named}.`);
  return known;
}

async function act(command: string, named: string): Promise<void> {
  switch (command) {
    case 'open':
      return step({}, open);
    case 'close':
      return step({}, close);
    case 'prepare':
      return prepare();
    case 'do': {
      const { changes, run } = operation(named);
      return step(changes, () => run(storage()));
    }
    case 'leave': {
      // what a killed process leaves: bytes that nobody will commit
      await storage().stage('folder/new', bodyOf('aleft-100000'));
      return;
    }
    case 'use':
      return step({}, use);
    case 'look':
      await sayInventory(store, storage(), folder, OPERATION_KEYS);
      return;
    default:
      throw new Error(`There is no command ${command}.`);
  }
}

say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', ...rest] = line.split(' ');
  try {
    await act(command, rest.join(' '));
  } catch (error) {
    say('fault', 'failed', `${line}: ${String(error)}`);
  }
  say('did', line);
}
process.exit();
