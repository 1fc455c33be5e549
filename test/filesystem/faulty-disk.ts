import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { FileSystemStorage } from 'nestjs-storages';

/** The calls of a disk, by the names of what the system is asked. */
export type DiskCall = Exclude<keyof Disk, 'constructor' | 'learn' | 'pathOf' | 'fstatWritten' | 'closeWritten'>;

/** A disk that counts its calls, and does something else at those that a test has named. */
export class FaultyDisk extends Disk {
  readonly calls: string[] = [];
  /** Called before each call; what it throws is what the call fails with. */
  before: (call: DiskCall, path: string) => void = () => undefined;
  /** How many bytes one write takes at most. */
  largestWrite = Infinity;

  override open(path: string, flags: string | number, mode?: number): Promise<number> {
    return this.#watched('open', path, () => super.open(path, flags, mode));
  }

  override close(fd: number): Promise<void> {
    // A close that fails has closed all the same.
    return super.close(fd).then(() => this.#watched('close', '', () => Promise.resolve()));
  }

  override writev(fd: number, buffers: readonly Uint8Array[]): Promise<number> {
    const [first] = buffers;
    const given =
      this.largestWrite === Infinity || first === undefined ? buffers : [first.subarray(0, this.largestWrite)];
    return this.#watched('writev', '', () => super.writev(fd, given));
  }

  override fsync(fd: number): Promise<void> {
    return this.#watched('fsync', '', () => super.fsync(fd));
  }

  override fstat(fd: number): ReturnType<Disk['fstat']> {
    return this.#watched('fstat', '', () => super.fstat(fd));
  }

  // Where these are trips as all others, they are watched as that.
  override fstatWritten(fd: number): ReturnType<Disk['fstat']> {
    return this._inMemory ? this.#watched('fstat', '', () => super.fstatWritten(fd)) : super.fstatWritten(fd);
  }

  override closeWritten(fd: number): Promise<void> {
    const closed = super.closeWritten(fd);
    return this._inMemory ? closed.then(() => this.#watched('close', '', () => Promise.resolve())) : closed;
  }

  override futimes(fd: number, seconds: number): Promise<void> {
    return this.#watched('futimes', '', () => super.futimes(fd, seconds));
  }

  override lstat(path: string): ReturnType<Disk['lstat']> {
    return this.#watched('lstat', path, () => super.lstat(path));
  }

  override rename(from: string, to: string): Promise<void> {
    return this.#watched('rename', to, () => super.rename(from, to));
  }

  override unlink(path: string): Promise<void> {
    return this.#watched('unlink', path, () => super.unlink(path));
  }

  override link(existing: string, added: string): Promise<void> {
    return this.#watched('link', added, () => super.link(existing, added));
  }

  override mkdir(...[path, options]: Parameters<Disk['mkdir']>): Promise<void> {
    return this.#watched('mkdir', path, () => super.mkdir(path, options));
  }

  override read(...args: Parameters<Disk['read']>): Promise<number> {
    return this.#watched('read', '', () => super.read(...args));
  }

  async #watched<T>(call: DiskCall, path: string, work: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    this.before(call, path);
    return work();
  }
}

/** A storage on such a disk. */
export class FaultyDiskStorage extends FileSystemStorage {
  readonly disk = new FaultyDisk();
  protected override readonly _disk = this.disk;
}

/** What Node makes of a failed system call. It has no name for some. */
export function systemError(name: keyof typeof constants.errno): Error {
  const errno = -constants.errno[name];
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${code}: failed, '/a/path/of/the/machine'`), { code, errno, syscall: 'call' });
}
