import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { until } from '../until.js';
import { systemError } from './faulty-disk.js';
import { keysOf, withRoot } from './temporary-root.js';

const run = promisify(execFile);

/** A step that waits until it is let go, and tells when it has been reached. */
class Gate {
  readonly reached: Promise<void>;
  readonly #passed: Promise<void>;
  #reach: () => void = () => undefined;
  open: () => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#passed = new Promise((resolve) => (this.open = resolve));
  }

  pass(): Promise<void> {
    this.#reach();
    return this.#passed;
  }
}

/** Writes down the folders it makes and the paths it syncs, and waits at gates once an fsync has been done. */
class LoggingDisk extends Disk {
  readonly log: string[] = [];
  readonly afterSync = new Map<string, Gate>();
  readonly afterMkdir = new Map<string, Gate>();
  /** Whether the one fsync that ends next says that it has failed. */
  failSync = false;
  readonly #paths = new Map<number, string>();

  override async open(...[path, flags, mode]: Parameters<Disk['open']>): Promise<number> {
    const fd = await super.open(path, flags, mode);
    this.#paths.set(fd, path);
    return fd;
  }

  override async mkdir(...[path, options]: Parameters<Disk['mkdir']>): Promise<void> {
    await super.mkdir(path, options);
    this.log.push(`mkdir ${path}`);
    await this.afterMkdir.get(path)?.pass();
  }

  override async fsync(fd: number): Promise<void> {
    const path = this.#paths.get(fd) ?? '';
    this.log.push(`fsync ${path}`);
    await super.fsync(fd);
    const gate = this.afterSync.get(path);
    this.afterSync.delete(path);
    await gate?.pass();
    if (!this.failSync) return;
    this.failSync = false;
    throw systemError('EIO');
  }

  override async rename(from: string, to: string): Promise<void> {
    await super.rename(from, to);
    this.log.push(`rename ${to}`);
  }
}

class LoggingStorage extends FileSystemStorage {
  readonly disk = new LoggingDisk();
  protected override readonly _disk = this.disk;
}

function withLog<T>(test: (storage: LoggingStorage, root: string) => Promise<T>): Promise<T> {
  return withRoot(async (root) => {
    await using storage = new LoggingStorage({ root });
    // Below a folder: what was made at the start is synced with it.
    await storage.put('warm/first', '');
    storage.disk.log.length = 0;
    return await test(storage, root);
  });
}

describe('a folder that is made', () => {
  it('while the fsync of the one above is under way is not taken for synced by it', () =>
    withLog(async (storage, root) => {
      const { log, afterSync, afterMkdir } = storage.disk;
      const [above, made, inside] = [new Gate(), new Gate(), new Gate()];
      afterSync.set(root, above);
      afterMkdir.set(join(root, 'y'), made);
      afterSync.set(join(root, 'y'), inside);
      const first = storage.put('x/1', '');
      await above.reached;
      const second = storage.put('y/1', '');
      await made.reached;
      made.open();
      await inside.reached;
      above.open();
      await first;
      inside.open();
      await second;
      expect(log.slice(log.indexOf(`mkdir ${join(root, 'y')}`))).toContain(`fsync ${root}`);
    }));

  it('is made durable also by one that finds it before its maker has heard of it', () =>
    withLog(async (storage, root) => {
      const { log, afterMkdir } = storage.disk;
      const made = new Gate();
      afterMkdir.set(join(root, 'x'), made);
      const maker = storage.put('x/1', '');
      await made.reached;
      await storage.put('x/2', '');
      expect(log.slice(log.indexOf(`mkdir ${join(root, 'x')}`))).toContain(`fsync ${root}`);
      made.open();
      await maker;
    }));
});

describe('an fsync of a folder that fails', () => {
  it('fails also for those who changed the folder meanwhile, as the next one would tell them nothing of it', () =>
    withLog(async (storage, root) => {
      const { disk } = storage;
      const folder = join(root, 'warm');
      const gate = new Gate();
      disk.afterSync.set(folder, gate);
      const first = storage.put('warm/one', 'one');
      await gate.reached;
      const second = storage.put('warm/two', 'two');
      await until('the second is there', () => disk.log.includes(`rename ${folder}/two`));
      disk.failSync = true;
      gate.open();
      for (const put of [first, second]) await expect(put).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(await keysOf(storage)).toEqual(['warm/first']);
      await storage.put('warm/two', 'two');
      expect(await keysOf(storage)).toEqual(['warm/first', 'warm/two']);
    }));
});

describe('a root that is made', () => {
  it('is synced with every folder that was made above it', () =>
    withRoot(async (parent) => {
      await using storage = new LoggingStorage({ root: join(parent, 'a/b') });
      await storage.open();
      const { log } = storage.disk;
      for (const [folder, above] of [
        [join(parent, 'a'), parent],
        [join(parent, 'a/b'), join(parent, 'a')],
      ] as const) {
        expect(log.slice(log.indexOf(`mkdir ${folder}`))).toContain(`fsync ${above}`);
      }
    }));
});

describe('a FIFO where a folder should be', () => {
  it('is not waited for', () =>
    withLog(async (storage, root) => {
      await run('mkfifo', [join(root, 'fifo')]);
      await storage.put('fifo/below', 'bytes');
      expect(String(await storage.getBytes('fifo/below'))).toBe('bytes');
      await storage.move('fifo/below', 'fifo/other');
      await storage.delete('fifo/other');
    }));
});
