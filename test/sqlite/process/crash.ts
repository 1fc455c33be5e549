// Puts, replaces, stages, copies, moves and deletes until it is killed: crash.ts <filename> <state as JSON> [how it is broken]
// Says `begin <lane> <changes>` before each step and `done <lane>` after it: changes are the tokens of keys, null for none.
import { randomInt, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';
import { BROKEN } from './broken-storages.js';
import { bodyOf } from './token.js';

const [, , filename = '', state = '{}', broken] = process.argv;
const tokens = new Map(Object.entries(JSON.parse(state) as Record<string, string>));
const Variant = broken === undefined ? SQLiteStorage : BROKEN.get(broken);
if (Variant === undefined) throw new Error(`There is no storage that is broken by ${broken ?? ''}.`);
const storage = new Variant({ filename, chunkSize: 65_536, inlineSize: 8192 });

type Changes = Record<string, string | null>;

function newToken(): string {
  const sizes = [0, 100, 8192, 8193, 65_536, 65_537, randomInt(20_000), randomInt(400_000)];
  return `${randomUUID()}:${sizes[randomInt(sizes.length)] ?? 0}`;
}

function anyOf(keys: readonly string[]): string {
  return keys[randomInt(keys.length)] ?? '';
}

async function step(lane: number, changes: Changes, work: () => Promise<unknown>): Promise<void> {
  process.stdout.write(`begin ${lane} ${JSON.stringify(changes)}\n`);
  await work();
  for (const [key, token] of Object.entries(changes)) {
    if (token === null) tokens.delete(key);
    else tokens.set(key, token);
  }
  process.stdout.write(`done ${lane}\n`);
}

async function change(lane: number, keys: readonly string[]): Promise<void> {
  const key = anyOf(keys);
  const other = anyOf(keys.filter((name) => name !== key));
  const there = tokens.get(key);
  const token = newToken();
  const body = bodyOf(token);
  const options = { metadata: { token } };
  switch (randomInt(8)) {
    case 0:
      if (there !== undefined) await step(lane, { [key]: null }, () => storage.delete(key));
      return;
    case 1:
      if (there === undefined) return;
      return step(lane, { [key]: null, [other]: there }, () => storage.move(key, other));
    case 2:
      if (there === undefined) return;
      return step(lane, { [other]: there }, () => storage.copy(key, other));
    case 3:
      return step(lane, { [key]: token }, async () => (await storage.stage(key, body, options)).commit());
    case 4:
    case 5:
      return step(lane, { [key]: token }, () => storage.put(key, Readable.from([body]), options));
    default:
      return step(lane, { [key]: token }, () => storage.put(key, body, options));
  }
}

await storage.open();
console.log('ready');
await Promise.all(
  [0, 1, 2, 3].map(async (lane) => {
    const keys = ['a', 'b', 'c'].map((name) => `${lane}/${name}`);
    for (;;) await change(lane, keys);
  }),
);
