import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withSystemPrograms } from '../../filesystem/small-disk.js';

const run = promisify(execFile);

export const FILE_SYSTEMS = ['ext4', 'xfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** The smallest that XFS takes is 300 MB. Most of it is a hole. */
const IMAGE_BYTES = 512 * 1024 * 1024;
const MAKE: Record<FileSystem, readonly string[]> = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q', '-f'],
};
/** `nouuid`: a copy is mounted while its original may still be. */
const MOUNT_OPTIONS: Record<FileSystem, string> = { ext4: 'loop,noinit_itable', xfs: 'loop,nouuid' };

/** A disk in a file. The file holds what was written to the disk, and nothing of what the kernel still had in memory. */
export class LoopDisk {
  readonly #base: string;
  readonly #fileSystem: FileSystem;
  #images = 0;
  #image: string;
  #mounted = false;

  private constructor(base: string, fileSystem: FileSystem) {
    this.#base = base;
    this.#fileSystem = fileSystem;
    this.#image = join(base, 'image-0');
  }

  /** A new and empty one, mounted. */
  static async make(fileSystem: FileSystem): Promise<LoopDisk> {
    // in memory where there is room: its flushes cost nothing, and it counts all the same what was flushed
    const inMemory = await access('/dev/shm').then(
      () => true,
      () => false,
    );
    const disk = new LoopDisk(
      await mkdtemp(join(inMemory ? '/dev/shm' : tmpdir(), 'nestjs-storages-disk-')),
      fileSystem,
    );
    try {
      await mkdir(disk.#mountPoint);
      await run('truncate', ['-s', `${IMAGE_BYTES}`, disk.#image]);
      const [program = '', ...args] = MAKE[fileSystem];
      await run(program, [...args, disk.#image], { env: withSystemPrograms() });
      await disk.#mount();
      await mkdir(disk.folder);
      await run('sync', ['--file-system', disk.folder]);
      return disk;
    } catch (error) {
      await disk.remove();
      throw error;
    }
  }

  /** For a store. It is there after a power cut too. */
  get folder(): string {
    return join(this.#mountPoint, 'store');
  }

  get #mountPoint(): string {
    return join(this.#base, 'mount');
  }

  /**
   * Takes a copy of the disk as it is at this moment. Nobody may be writing to it.
   *
   * @returns takes the power away: from then on the copy is the disk
   */
  async capture(): Promise<() => Promise<void>> {
    const copy = join(this.#base, `image-${++this.#images}`);
    // The kernel writes too, when it likes: a copy during which it did would be of no one moment.
    for (;;) {
      const before = await this.#lastWrite();
      await run('cp', ['--sparse=always', this.#image, copy]);
      if ((await this.#lastWrite()) === before) break;
    }
    return async () => {
      await this.#unmount();
      await rm(this.#image);
      this.#image = copy;
      await this.#mount();
    };
  }

  async remove(): Promise<void> {
    await this.#unmount();
    await rm(this.#base, { recursive: true });
  }

  async #lastWrite(): Promise<bigint> {
    return (await stat(this.#image, { bigint: true })).mtimeNs;
  }

  async #mount(): Promise<void> {
    await run('mount', ['-t', this.#fileSystem, '-o', MOUNT_OPTIONS[this.#fileSystem], this.#image, this.#mountPoint]);
    this.#mounted = true;
  }

  async #unmount(): Promise<void> {
    if (!this.#mounted) return;
    await run('umount', [this.#mountPoint]);
    this.#mounted = false;
  }
}

/** Why there can be no such disk here; `undefined` if there can. */
export async function whyNoDisk(fileSystem: FileSystem): Promise<string | undefined> {
  try {
    const disk = await LoopDisk.make(fileSystem);
    await disk.remove();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error);
  }
}
