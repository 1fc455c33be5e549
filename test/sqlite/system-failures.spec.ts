import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { Trace, whyNoTrace } from '../crash/calls/trace.js';
import type { Child } from '../filesystem/process/child.js';
import { startChild } from './process/child.js';
import { withFile } from './temporary-database.js';

interface Answer {
  readonly body?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retryable?: boolean;
}

/** A process that does what it is told with one storage, and has stored `old` in it. */
function withProcess(
  test: (tell: (line: string) => Promise<Answer>, child: Child, filename: string) => Promise<void>,
): Promise<void> {
  return withFile(async (filename) => {
    const child = startChild('obey', [filename]);
    const tell = async (line: string): Promise<Answer> => {
      child.say(line);
      return JSON.parse(await child.line()) as Answer;
    };
    try {
      expect(await child.line()).toBe('ready');
      expect(await tell('put old')).toEqual({ body: 'old' });
      await test(tell, child, filename);
    } finally {
      await child.kill();
    }
  });
}

/** The old object is there, the storage goes on, the database is sound and nothing lies beside it. */
async function expectNoHarm(tell: (line: string) => Promise<Answer>, filename: string): Promise<void> {
  expect(await tell('get')).toEqual({ body: 'old' });
  expect(await tell('put newer')).toEqual({ body: 'newer' });
  expect(await tell('close')).toEqual({ body: '' });
  const storage = new SQLiteStorage({ filename });
  expect(await storage.check()).toMatchObject({ ok: true, objects: 1 });
  expect((await storage.info('key')).metadata).toEqual({ body: 'newer' });
  await storage.close();
  expect(await readdir(dirname(filename))).toEqual(['files.db']);
}

let why: string | undefined;
beforeAll(async () => {
  why = await whyNoTrace();
  if (why !== undefined && process.env['CI'] !== 'true') console.log(`No call of the system is made to fail: ${why}`);
});

describe('a system that refuses a call', () => {
  it.each<[what: string, calls: string, errno: string, code: string, words: string]>([
    ['no room', 'pwrite64', 'ENOSPC', 'QUOTA_EXCEEDED', 'There is no room left for'],
    ['a quota', 'pwrite64', 'EDQUOT', 'QUOTA_EXCEEDED', 'There is no room left for'],
    [
      'a quota that is kept when the disk is flushed',
      'fsync,fdatasync',
      'EDQUOT',
      'QUOTA_EXCEEDED',
      'There is no room left for',
    ],
    [
      'a file system that has become read-only',
      'pwrite64',
      'EROFS',
      'PERMISSION_DENIED',
      'This process may not write to',
    ],
    ['a disk that fails to write', 'pwrite64', 'EIO', 'STORAGE_FAILURE', 'The disk failed under'],
    ['a disk that fails to flush', 'fsync,fdatasync', 'EIO', 'STORAGE_FAILURE', 'The disk failed under'],
  ])('fails a put with an error of its own, and harms nothing: %s', async (_what, calls, errno, code, words) => {
    if (process.env['CI'] === 'true') expect(why).toBeUndefined();
    if (why !== undefined) return;
    await withProcess(async (tell, child, filename) => {
      const trace = await Trace.attach(
        { process: child.pid, paths: [] },
        `${filename}.trace`,
        `${calls}:error=${errno}`,
      );
      const answer = await tell('put new');
      await trace.detach();
      expect(answer).toMatchObject({ code, message: expect.stringContaining(words) as unknown });
      expect(answer.message).toContain(JSON.stringify(filename));
      await expectNoHarm(tell, filename);
    });
  });

  it('fails a get whose bytes the disk does not give', async () => {
    if (process.env['CI'] === 'true') expect(why).toBeUndefined();
    if (why !== undefined) return;
    await withProcess(async (tell, child, filename) => {
      const trace = await Trace.attach({ process: child.pid, paths: [] }, `${filename}.trace`, 'pread64:error=EIO');
      const answer = await tell('get');
      await trace.detach();
      expect(answer).toMatchObject({
        code: 'INTEGRITY_FAILED',
        message: expect.stringContaining('or its disk cannot be read') as unknown,
      });
      await expectNoHarm(tell, filename);
    });
  });
});

describe('a process that has too many files open', () => {
  it('is told so at whichever file that happens, and goes on when it has closed some', () =>
    withProcess(async (tell, child, filename) => {
      expect(await tell('close')).toEqual({ body: '' });
      const taken = new Set(readdirSync(`/proc/${child.pid}/fd`).map(Number));
      let limit = 0;
      while (taken.has(limit)) limit++;
      let refused = 0;
      for (; ; limit++) {
        execFileSync('prlimit', ['--pid', `${child.pid}`, `--nofile=${limit}:`]);
        const answer = await tell('get');
        if (answer.body === 'old') break;
        expect(answer).toEqual({
          code: 'CONNECTION_FAILED',
          message: 'Too many files are open (EMFILE): raise the limit, or keep fewer streams open.',
          retryable: true,
        });
        refused++;
      }
      // the threads' own, the driver, the database and its log
      expect(refused).toBeGreaterThan(8);
      execFileSync('prlimit', ['--pid', `${child.pid}`, '--nofile=1000:']);
      await expectNoHarm(tell, filename);
    }));
});
