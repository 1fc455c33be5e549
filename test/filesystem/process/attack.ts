// Writes, reads, moves, deletes and lists a few keys at random and checks every promise it can see: attack.ts <root> <seconds> <full or fast> [rule to switch off]
// Says `violation: ...` at the first broken one, else `none`.
import { randomInt, randomUUID } from 'node:crypto';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';
import type { StoredFile } from '../../../lib/contract/index.js';
import { switchOff } from './switch-off.js';

const [, , root = '', seconds = '1', durability, rule] = process.argv;
if (rule !== undefined) switchOff(rule);

/** Objects beside folders of the same name, and one that is put again and again and never deleted. */
const KEYS = ['a', 'a/b', 'a/b/c', 'd/e', `long/${'x'.repeat(300)}`];
const ALWAYS_THERE = ['always', 'always/there'];
const EXPECTED: ReadonlySet<string> = new Set(['FILE_NOT_FOUND', 'FILE_EXISTS', 'PRECONDITION_FAILED']);

/** The first promise that was seen broken. */
let violation: string | undefined;
let counted = 0;
let end = Infinity;

const storage = new FileSystemStorage({ root, durability: durability === 'full' ? 'full' : 'fast' });
await storage.open();
for (const key of ALWAYS_THERE) await tolerant(() => put(key, {}));
await tolerant(() => storage.put('count', '0', { ifNoneMatch: '*', metadata: { count: '0' } }));
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
end = performance.now() + Number(seconds) * 1000;
const going = (): boolean => violation === undefined && performance.now() < end;

function broken(sentence: string, details: unknown): void {
  violation ??= `${sentence} ${JSON.stringify(details)}`;
}

function anyOf<T>(items: readonly T[]): T {
  return items[randomInt(items.length)] as T;
}

/** The body says the attributes that it was put with. */
async function put(key: string, conditions: { ifMatch?: string; ifNoneMatch?: '*' }): Promise<StoredFile> {
  const token = randomUUID();
  const body = `${token}${'.'.repeat(randomInt(2))}`;
  const plain = randomInt(4) === 0;
  return storage.put(key, plain ? `plain ${body}` : body, { ...conditions, ...(plain ? {} : { metadata: { token } }) });
}

function check(file: StoredFile, body: string): void {
  const expected = body.startsWith('plain') ? undefined : body.replaceAll('.', '');
  if (file.size !== body.length) broken('size and bytes are of two versions:', { file, body });
  if (file.metadata['token'] !== expected) broken('bytes and attributes are of two versions:', { file, body });
}

/** Every etag stands for one body. Only a sample is kept. */
const seen = new Map<string, string>();

async function read(key: string): Promise<void> {
  const stream = await storage.get(key);
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  check(stream.file, body);
  const name = `${key} ${stream.file.etag}`;
  if ((seen.get(name) ?? body) !== body) broken('one etag, two bodies:', { key, body, other: seen.get(name) });
  if (seen.size < 100_000) seen.set(name, body);
}

async function tolerant(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
    if (!EXPECTED.has(String(code))) broken('an unexpected error:', { code, message, cause: String(cause) });
  }
}

async function writer(): Promise<void> {
  while (going()) {
    const key = anyOf(KEYS);
    await tolerant(async () => {
      switch (randomInt(6)) {
        case 0:
          return storage.delete(key);
        case 1:
          return put(key, { ifNoneMatch: '*' });
        case 2:
          return storage.move(key, anyOf(KEYS));
        case 3:
          return storage.copy(key, anyOf(KEYS));
        default:
          return put(key, {});
      }
    });
  }
}

async function overwriter(): Promise<void> {
  while (going()) await tolerant(() => put(anyOf(ALWAYS_THERE), {}));
}

/** Raises a number in the metadata of one key. */
async function counter(): Promise<void> {
  while (going()) {
    await tolerant(async () => {
      const before = await storage.info('count');
      const count = String(Number(before.metadata['count']) + 1);
      await storage.put('count', count, { ifMatch: before.etag, metadata: { count } });
      counted++;
    });
  }
}
async function reader(): Promise<void> {
  while (going()) {
    for (const key of ALWAYS_THERE) {
      try {
        await read(key);
        if (!(await storage.exists(key))) broken('an object that is there does not exist:', key);
      } catch (error) {
        broken('an object that is there is not found:', { key, message: String(error) });
      }
    }
    await tolerant(() => read(anyOf(KEYS)));
  }
}

async function lister(): Promise<void> {
  while (going()) {
    const keys: string[] = [];
    await tolerant(async () => {
      for await (const { key } of storage.list()) keys.push(key);
      for (const key of ALWAYS_THERE) {
        if (keys.filter((item) => item === key).length !== 1) broken('a listing has not each key once:', { key, keys });
      }
    });
  }
}

await Promise.all([writer(), writer(), overwriter(), overwriter(), counter(), counter(), reader(), lister()]);
await storage.close();
console.log(violation === undefined ? `none ${counted}` : `violation: ${violation}`);
process.stdin.destroy();
