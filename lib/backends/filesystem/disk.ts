import * as fs from 'node:fs';
import type { BigIntStats, Dirent, MakeDirectoryOptions } from 'node:fs';
import { constants } from 'node:os';

/** Of a plain file. A number, as Node takes it (its documentation of `fs.readFile`); its types have that for `fs.promises` alone. */
const READ_FLAGS = (fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK) as unknown as string;

/** What the systems say of a path at which there is no plain file: a link, a folder, a FIFO that somebody writes to, a socket (macOS has its own word). */
const NO_PLAIN_FILE = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EMLINK', 'EAGAIN', 'ENXIO', 'EOPNOTSUPP'] as const;

/** Names of error numbers: libuv has none for a few, EDQUOT among them, and says `Unknown system error -122`. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [-number, name]),
);

/** Node refuses to write 2 GiB or more at once; the kernel takes a page less. */
const LARGEST_WRITE = 1024 * 1024 * 1024;

/**
 * Linux file systems on which fstat and close of a file that was just opened or written touch memory only (statfs(2)): ext2 to ext4, XFS,
 * Btrfs, F2FS, tmpfs. Those of a network or of FUSE flush and ask a server at both, which may take any time.
 */
const IN_MEMORY: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994]);

/**
 * The system calls this storage makes, each one trip to the thread pool. By the callback API: `fs.promises` makes an object per
 * descriptor and costs twice the CPU for a small file. Everything goes through here, so that a test can make any call fail.
 */
export class Disk {
  /** Whether fstat and close of a file that was just written wait for nothing. */
  protected _inMemory = false;

  /** Learns what a file system does without waiting. Until then, and where that cannot be told, every call is a trip. */
  async learn(path: string): Promise<void> {
    const type = await new Promise<number | undefined>((resolve) => {
      fs.statfs(path, (error, stats) => {
        resolve(error === null ? stats.type : undefined);
      });
    });
    this._inMemory = process.platform === 'linux' && type !== undefined && IN_MEMORY.has(type);
  }

  open(path: string, flags: string | number, mode?: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.open(path, flags, mode, settle(resolve, reject));
    });
  }

  close(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(fd, settle(resolve, reject));
    });
  }

  /** @returns how many bytes were read: fewer than asked for is no error, and 0 is the end of the file */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(fd, buffer, offset, length, position, settle(resolve, reject));
    });
  }

  /** @returns how many bytes were taken, which may be fewer than were given */
  writev(fd: number, buffers: readonly Uint8Array[]): Promise<number> {
    return new Promise((resolve, reject) => {
      const [first] = buffers;
      if (buffers.length === 1 && first !== undefined)
        fs.write(fd, first, 0, Math.min(first.length, LARGEST_WRITE), settle(resolve, reject));
      else fs.writev(fd, buffers, settle(resolve, reject));
    });
  }

  fsync(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fsync(fd, settle(resolve, reject));
    });
  }

  fstat(fd: number): Promise<BigIntStats> {
    return new Promise((resolve, reject) => {
      fs.fstat(fd, { bigint: true }, settle(resolve, reject));
    });
  }

  /**
   * fstat and close of a file that was just opened or written, at once on this thread where neither waits for anything: a trip to the pool costs
   * ten times as much. Not for a large file that may have lost its name, whose last close frees its blocks.
   */
  fstatWritten(fd: number): Promise<BigIntStats> {
    if (!this._inMemory) return this.fstat(fd);
    return atOnce(() => fs.fstatSync(fd, { bigint: true }));
  }

  closeWritten(fd: number): Promise<void> {
    if (!this._inMemory) return this.close(fd);
    return atOnce(() => {
      fs.closeSync(fd);
    });
  }

  fchmod(fd: number, mode: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fchmod(fd, mode, settle(resolve, reject));
    });
  }

  /** @param seconds since 1970; the kernel keeps whole microseconds of it */
  futimes(fd: number, seconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.futimes(fd, seconds, seconds, settle(resolve, reject));
    });
  }

  utimes(path: string, seconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.utimes(path, seconds, seconds, settle(resolve, reject));
    });
  }

  chmod(path: string, mode: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.chmod(path, mode, settle(resolve, reject));
    });
  }

  lstat(path: string): Promise<BigIntStats> {
    return new Promise((resolve, reject) => {
      fs.lstat(path, { bigint: true }, settle(resolve, reject));
    });
  }

  /** The path with every symbolic link resolved. */
  realpath(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      fs.realpath.native(path, settle(resolve, reject));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.rename(from, to, settle(resolve, reject));
    });
  }

  link(existing: string, added: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.link(existing, added, settle(resolve, reject));
    });
  }

  symlink(target: string, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.symlink(target, path, settle(resolve, reject));
    });
  }

  readlink(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      fs.readlink(path, settle(resolve, reject));
    });
  }

  /**
   * Where the file of a descriptor lies, every symbolic link on the way resolved; with ` (deleted)` behind it when it lies there no more (proc(5)). The
   * kernel answers out of its memory, so it is asked on this thread. `undefined` where the system does not tell.
   */
  pathOf(fd: number): string | undefined {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined;
    }
  }

  unlink(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.unlink(path, settle(resolve, reject));
    });
  }

  mkdir(path: string, options: MakeDirectoryOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.mkdir(path, options, (error) => {
        settle(resolve, reject)(error);
      });
    });
  }

  rmdir(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.rmdir(path, settle(resolve, reject));
    });
  }

  readdir(path: string): Promise<Dirent[]> {
    return new Promise((resolve, reject) => {
      fs.readdir(path, { withFileTypes: true }, settle(resolve, reject));
    });
  }

  /**
   * For the storage's own small files: owners, attributes, locks. Not through a link, and not waiting for a writer at a FIFO's other end.
   *
   * @returns `undefined` when there is no such file, or something else in its place; empty for a FIFO
   */
  readFile(path: string): Promise<string | undefined> {
    const reading = new Promise<string>((resolve, reject) => {
      fs.readFile(path, { encoding: 'utf8', flag: READ_FLAGS }, settle(resolve, reject));
    });
    return unless(reading, ...NO_PLAIN_FILE);
  }

  /** A copy that shares the blocks of the original, where the file system can; else it fails. */
  reflink(from: string, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.copyFile(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE_FORCE, settle(resolve, reject));
    });
  }
}

function atOnce<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(call());
  });
}

type Settle<T> = (error: Error | null | undefined, value?: T) => void;

function settle<T>(resolve: (value: T) => void, reject: (error: Error) => void): Settle<T> {
  return (error, value) => {
    if (error === null || error === undefined) resolve(value as T);
    else reject(error);
  };
}

/** The errno of a failed system call, e.g. `ENOENT`. Not by instanceof: the error may be of another realm. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errno, syscall } = error as { code?: unknown; errno?: unknown; syscall?: unknown };
  if (typeof code !== 'string' || typeof syscall !== 'string') return undefined;
  return typeof errno === 'number' && code.startsWith('Unknown') ? (NAMES.get(errno) ?? code) : code;
}

/** Waits for a call that may fail in the named ways, which then count as `undefined`. */
export async function unless<T>(call: Promise<T>, ...errnos: readonly string[]): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
