import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type BaseStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { filesBelow } from '../filesystem/temporary-root.js';
import { query } from '../sqlite/temporary-database.js';
import { file, form, partHead } from './form.js';
import type { FromShutdownServer, ShutdownServerSetup } from './process/shutdown-server.js';
import { RawClient, type Answer } from './raw-client.js';

/** `shutdown.timeout` of the servers, in milliseconds. It is over when this test says so. */
const TIMEOUT = 3_600_000;
/** What answers, removals and connections of what was broken off may take after it, on a busy machine, in milliseconds. */
const AFTERMATH = 6000;

/** How the clients of the load behave: 20 uploads that are in flight when the signal comes. */
const LOAD = [
  // those that go on sending, and end within the time
  ...Array.from({ length: 12 }, (_, index) => ({ name: `good-${index}`, size: index % 2 === 0 ? 100_000 : 900_000 })),
  // those that send nothing more
  ...Array.from({ length: 5 }, (_, index) => ({ name: `stalled-${index}`, size: 500_000 })),
  // those whose handlers never answer
  ...Array.from({ length: 3 }, (_, index) => ({ name: `stuck-${index}`, size: 300_000 })),
];

const bytesOf = (name: string, size: number): Buffer => Buffer.alloc(size, name);

let folder: string;
let path: string;
let server: ChildProcess | undefined;
const clients: RawClient[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sigterm-'));
  path = join(folder, 'storage');
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  // it has ended, unless a test has failed
  if (server?.exitCode === null) server.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function start(nest: 11 | 12, setup: Omit<ShutdownServerSetup, 'path' | 'timeout'>): ChildProcess {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const child = fork(here('./process/shutdown-server.ts'), [JSON.stringify({ ...setup, path, timeout: TIMEOUT })], {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      ...['--import', here('./process/typescript.js')],
      ...(nest === 11 ? ['--import', here('../hostile/client/nest-11.js')] : []),
    ],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  server = child;
  return child;
}

/** Resolves with the value of the first message that has this (and that value): several may come in one turn. */
function told(child: ChildProcess, name: 'port' | 'begun' | 'closing', value?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listen = (message: FromShutdownServer): void => {
      const given: unknown = Object.entries(message).find(([field]) => field === name)?.[1];
      if (given === undefined || (value !== undefined && given !== value)) return;
      child.off('message', listen);
      resolve(given);
    };
    child.on('message', listen);
    child.once('exit', () => {
      reject(new Error(`The server ended before it told its ${name}.`));
    });
  });
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  clients.push(client);
  return client;
}

/** What a client was answered; `undefined` where its connection was cut. */
async function answerTo(client: RawClient): Promise<Answer | undefined> {
  return client.answer().catch(() => undefined);
}

const openStorage = (backend: ShutdownServerSetup['backend']): BaseStorage =>
  backend === 'filesystem'
    ? new FileSystemStorage({ root: path })
    : new SQLiteStorage({ filename: path, inlineSize: 1024 });

/** Looked at before anything else opens the storage, which would sweep it. */
async function temporaries(backend: ShutdownServerSetup['backend'], keys: readonly string[]): Promise<unknown> {
  if (backend === 'sqlite') return query(path, 'SELECT * FROM "files$uploads"');
  return (await filesBelow(path)).filter((name) => !keys.includes(name));
}

describe.each([
  [12, 'express', 'filesystem'],
  [12, 'fastify', 'sqlite'],
  [11, 'fastify', 'filesystem'],
  [11, 'express', 'sqlite'],
] as const)('A server on Nest %i, %s and %s', (nest, platform, backend) => {
  it('that gets SIGTERM under load stores what it has answered 201, nothing else, and ends by itself in time', async () => {
    const child = start(nest, { platform, backend });
    const port = Number(await told(child, 'port'));
    const allBegun = told(child, 'begun', LOAD.length);
    const uploads = await Promise.all(
      LOAD.map(async ({ name, size }) => {
        const body = form(file(bytesOf(name, size), 'file', name));
        const client = await connect(port);
        client.head({ 'Content-Length': String(body.length) });
        // most of it, but for the end
        const sent = partHead(file('', 'file', name)).length + Math.floor(size / 2);
        await client.send(body.subarray(0, sent));
        return { name, size, client, rest: body.subarray(sent) };
      }),
    );
    await allBegun;

    const exit = once(child, 'exit');
    const closing = told(child, 'closing');
    child.kill('SIGTERM');
    await closing;
    const late = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const client = await connect(port);
        client.post(form(file('late', 'file', `late-${index}`)));
        return client.answer();
      }),
    );
    const answers = new Map<string, Answer | undefined>();
    const ended = uploads.map(async ({ name, client, rest }) => {
      if (!name.startsWith('stalled')) await client.send(rest);
      answers.set(name, await answerTo(client));
      client.destroy();
    });
    await Promise.all(ended.filter((_, index) => LOAD[index]?.name.startsWith('good')));
    const begin = performance.now();
    child.send('The time is over.');
    await Promise.all(ended);
    expect(await exit).toEqual([0, null]);
    expect(performance.now() - begin).toBeLessThan(AFTERMATH);

    for (const { status, headers, body } of late) {
      expect([status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '3', 'close']);
      expect(body).toMatchObject({ code: 'SHUTTING_DOWN' });
    }
    const stored = LOAD.filter(({ name }) => answers.get(name)?.status === 201);
    expect(stored).toEqual(LOAD.filter(({ name }) => name.startsWith('good')));
    for (const { name } of LOAD.filter((each) => !stored.includes(each))) {
      expect([name, answers.get(name)?.status, answers.get(name)?.headers.get('retry-after')]).toEqual([
        name,
        503,
        '3',
      ]);
    }
    expect(
      await temporaries(
        backend,
        stored.map(({ name }) => name),
      ),
    ).toEqual([]);
    await using storage = openStorage(backend);
    const keys: string[] = [];
    for await (const { key } of storage.list()) keys.push(key);
    expect(keys).toEqual(stored.map(({ name }) => name).sort());
    for (const { name, size } of stored) expect((await storage.getBytes(name)).equals(bytesOf(name, size))).toBe(true);
  });
});
