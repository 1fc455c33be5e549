import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Child } from './process/child.js';
import { whyNoSmallDisk, withSmallDisk } from './small-disk.js';
import { filesBelow, withRoot } from './temporary-root.js';

const run = promisify(execFile);
const NOBODY = 65_534;

interface Answer {
  readonly done?: unknown;
  readonly code?: string;
  readonly message?: string;
}

/** A process that has a storage open all the time. */
class Obedient {
  readonly child: Child;

  private constructor(root: string, uid?: number) {
    this.child = new Child('obey', [root, ...(uid === undefined ? [] : [`${uid}`])]);
  }

  static async start(root: string, uid?: number): Promise<Obedient> {
    const started = new Obedient(root, uid);
    expect(await started.child.line()).toBe('"ready"');
    return started;
  }

  async tell(...command: readonly string[]): Promise<Answer> {
    this.child.say(JSON.stringify(command));
    return JSON.parse(await this.child.line()) as Answer;
  }

  /** What a command is refused with, which must not show the machine. */
  async refusal(root: string, ...command: readonly string[]): Promise<string | undefined> {
    const { code, message } = await this.tell(...command);
    expect(message ?? '').not.toContain(root);
    return code;
  }
}

let whyNoDisk: string | undefined;
beforeAll(async () => {
  whyNoDisk = await whyNoSmallDisk('ext4');
  if (whyNoDisk !== undefined && process.env['CI'] !== 'true') {
    console.log(`What a process may not was not tried: it takes root, and a disk that can be mounted (${whyNoDisk}).`);
  }
});

/** @returns `false` where it cannot be, which is a failure only where everything must run */
function isPossible(): boolean {
  if (process.env['CI'] === 'true') expect(whyNoDisk).toBeUndefined();
  return whyNoDisk === undefined;
}

describe('a process whose permission is taken away', () => {
  it.each([
    ['the root', '.'],
    ['a folder', 'closed'],
  ])(
    'from %s is told so by each call that needs it, and goes on when it has it again, without a restart',
    async (_what, folder) => {
      if (!isPossible()) return;
      await withRoot(async (root) => {
        await chown(root, NOBODY, NOBODY);
        const process = await Obedient.start(root, NOBODY);
        for (const key of ['closed/key', 'open/key'])
          expect(await process.tell('put', key, 'old')).toEqual({ done: 3 });
        const closed = join(root, folder);
        // who may not write into the root may still write into its folders
        for (const mode of folder === '.' ? [0o000] : [0o000, 0o500]) {
          await chmod(closed, mode);
          for (const command of [
            ['put', 'closed/key', 'new'],
            ['put', 'closed/new', 'new'],
            ['delete', 'closed/key'],
          ])
            expect([command, await process.refusal(root, ...command)]).toEqual([command, 'PERMISSION_DENIED']);
          for (const command of [['get', 'closed/key'], ['exists', 'closed/key'], ['list'], ['check']]) {
            const code = mode === 0 ? 'PERMISSION_DENIED' : undefined;
            expect([mode, command, await process.refusal(root, ...command)]).toEqual([mode, command, code]);
          }
          if (folder !== '.') {
            expect(await process.tell('list', 'open/')).toEqual({ done: ['open/key'] });
            expect(await process.tell('put', 'open/key', 'newer')).toEqual({ done: 5 });
          }
          await chmod(closed, 0o755);
          expect(await process.tell('get', 'closed/key')).toEqual({ done: 'old' });
          expect(await process.tell('metadata', 'closed/key')).toEqual({ done: { text: 'old' } });
        }
        expect(await process.tell('put', 'closed/key', 'newest')).toEqual({ done: 6 });
        expect(await process.tell('list')).toEqual({ done: ['closed/key', 'open/key'] });
        expect(await process.tell('check')).toEqual({ done: [] });
        for (const key of ['closed/key', 'open/key']) await process.tell('delete', key);
        await process.tell('close');
        expect(await filesBelow(root)).toEqual([]);
        await process.child.end();
      });
    },
  );

  it('from a folder that was made immutable is told so even as root, and goes on afterwards', async () => {
    if (!isPossible()) return;
    await withSmallDisk({ fileSystem: 'ext4', bytes: 16 * 1024 * 1024 }, async ({ root }) => {
      const process = await Obedient.start(root);
      await process.tell('put', 'folder/key', 'old');
      await run('chattr', ['+i', join(root, 'folder')]);
      for (const command of [
        ['put', 'folder/key', 'new'],
        ['put', 'folder/new', 'new'],
        ['delete', 'folder/key'],
      ])
        expect([command, await process.refusal(root, ...command)]).toEqual([command, 'PERMISSION_DENIED']);
      expect(await process.tell('metadata', 'folder/key')).toEqual({ done: { text: 'old' } });
      await run('chattr', ['-i', join(root, 'folder')]);
      expect(await process.tell('put', 'folder/key', 'newer')).toEqual({ done: 5 });
      expect(await process.tell('check')).toEqual({ done: [] });
      await process.tell('delete', 'folder/key');
      await process.tell('close');
      expect(await filesBelow(root)).toEqual([]);
      await process.child.end();
    });
  });
});

describe('a process with too many open files', () => {
  it('is told so by each call, loses nothing, and goes on when it may open more, without a restart', async () => {
    if (!isPossible()) return;
    await withRoot(async (root) => {
      const process = await Obedient.start(root);
      await process.tell('put', 'folder/key', 'old');
      await mkdir(join(root, 'empty'));
      const limitTo = (files: number): Promise<unknown> =>
        run('prlimit', ['--pid', `${process.child.pid}`, `--nofile=${files}:4096`]);
      const open = (await readdir(`/proc/${process.child.pid}/fd`)).length;
      // from none at all, by the numbers that they get, to as many as all but the last call need
      for (const limit of [3, open + 1, open + 2]) {
        await limitTo(limit);
        const codes = [];
        for (const command of [
          ['put', 'folder/key', 'new'],
          ['put', 'new/key', 'new'],
          ['get', 'folder/key'],
          ['list'],
        ]) {
          codes.push(await process.refusal(root, ...command));
        }
        if (limit === 3) expect(codes).toEqual(Array.from({ length: 4 }, () => 'CONNECTION_FAILED'));
        for (const code of codes) expect(['CONNECTION_FAILED', undefined]).toContain(code);
        await limitTo(1024);
        const { done } = await process.tell('get', 'folder/key');
        expect(done).toBe(codes[0] === undefined ? 'new' : 'old');
        expect(await process.tell('metadata', 'folder/key')).toEqual({ done: { text: done } });
        expect(await readdir(join(root, '.storages/tmp'))).toEqual([]);
        expect(await process.tell('check')).toEqual({ done: [] });
        expect(await process.tell('put', 'folder/key', 'old')).toEqual({ done: 3 });
      }
      for (const key of ['folder/key', 'new/key']) await process.tell('delete', key);
      await process.tell('close');
      expect(await filesBelow(root)).toEqual([]);
      await process.child.end();
    });
  });
});
