import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDiskOptions {
  readonly fileSystem: 'tmpfs' | 'ext4';
  readonly bytes: number;
  /** How many files ext4 holds at most. */
  readonly inodes?: number;
}

/** A file system of a few megabytes, which a test can fill. It takes root, and loop devices for ext4. */
export class SmallDisk {
  readonly #base: string;
  #mounted = false;

  private constructor(base: string) {
    this.#base = base;
  }

  static async make({ fileSystem, bytes, inodes }: SmallDiskOptions): Promise<SmallDisk> {
    const disk = new SmallDisk(await mkdtemp(join(tmpdir(), 'nestjs-storages-small-')));
    try {
      await mkdir(disk.root);
      if (fileSystem === 'tmpfs') {
        await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk.root]);
      } else {
        const image = join(disk.#base, 'image');
        await run('truncate', ['-s', `${bytes}`, image]);
        const count = inodes === undefined ? [] : ['-N', `${inodes}`];
        // nothing is kept back for root, and inodes have room for fractions of a second
        await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-I', '256', ...count, image], { env: withSystemPrograms() });
        await run('mount', ['-t', 'ext4', '-o', 'loop', image, disk.root]);
      }
      disk.#mounted = true;
      // ext4 makes one, which is no object
      await rm(join(disk.root, 'lost+found'), { recursive: true, force: true });
      return disk;
    } catch (error) {
      await disk.remove();
      throw error;
    }
  }

  get root(): string {
    return join(this.#base, 'mount');
  }

  /** Bytes that files may still take. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root);
    return bavail * bsize;
  }

  async remount(how: 'ro' | 'rw'): Promise<void> {
    await run('mount', ['-o', `remount,${how}`, this.root]);
  }

  async remove(): Promise<void> {
    if (this.#mounted) await run('umount', [this.root]);
    await rm(this.#base, { recursive: true });
  }
}

/** mkfs and its kin are not on everybody's path. */
export function withSystemPrograms(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

/** Why there can be no such disk here; `undefined` if there can. */
export async function whyNoSmallDisk(fileSystem: SmallDiskOptions['fileSystem']): Promise<string | undefined> {
  try {
    await (await SmallDisk.make({ fileSystem, bytes: 8 * 1024 * 1024 })).remove();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error);
  }
}

export function withSmallDisk<T>(options: SmallDiskOptions, test: (disk: SmallDisk) => Promise<T>): Promise<T> {
  return SmallDisk.make(options).then(async (disk) => {
    try {
      return await test(disk);
    } finally {
      await disk.remove();
    }
  });
}
