import { fstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { DeadOwners } from '../../../lib/backends/filesystem/dead-owners.js';
import { Disk } from '../../../lib/backends/filesystem/disk.js';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';
import { VersionClock } from '../../../lib/backends/filesystem/version-clock.js';
import { switchOff } from '../../filesystem/process/switch-off.js';

/** What a kill finds out: the process that calls one of them is broken for good. */
export const BROKEN_FILES: ReadonlyMap<string, () => void> = new Map([
  [
    'attributes by a second rename',
    () => {
      switchOff('one-commit');
    },
  ],
  [
    'sweeping nothing',
    () => {
      DeadOwners.prototype.isDead = () => Promise.resolve(false);
    },
  ],
]);

/** What another process on the same root finds out. */
export const BROKEN_BETWEEN_PROCESSES: ReadonlyMap<string, () => void> = new Map([
  [
    'without the lock',
    () => {
      switchOff('lock');
    },
  ],
  [
    'moving objects on overwrite',
    () => {
      switchOff('stays-in-place');
    },
  ],
  [
    'times that do not rise',
    () => {
      switchOff('rising-times');
      // of a second, so that a busy disk writes more than one version in a tick
      VersionClock.prototype.next = () => Math.floor(Date.now() / 1000);
    },
  ],
  [
    'breaking a dead lock without looking again',
    () => {
      DeadOwners.prototype.breakIfDead = async function (path, holder, heal) {
        if (!(await this.isDead(holder))) return false;
        await heal?.();
        // between the look and the deed, as long as a busy machine may take
        await setTimeout(Math.random() * 500);
        await rm(path, { force: true });
        return true;
      };
    },
  ],
  [
    'sweeping everything',
    () => {
      DeadOwners.prototype.isDead = () => Promise.resolve(true);
    },
  ],
]);

class FolderlessDisk extends Disk {
  override fsync(fd: number): Promise<void> {
    return fstatSync(fd).isDirectory() ? Promise.resolve() : super.fsync(fd);
  }
}

class FilelessDisk extends Disk {
  override fsync(fd: number): Promise<void> {
    return fstatSync(fd).isDirectory() ? super.fsync(fd) : Promise.resolve();
  }
}

class FolderlessStorage extends FileSystemStorage {
  protected override readonly _disk = new FolderlessDisk();
}

class FilelessStorage extends FileSystemStorage {
  protected override readonly _disk = new FilelessDisk();
}

/** What only a power cut finds out. */
export const FLUSHING_TOO_LITTLE: ReadonlyMap<string, typeof FileSystemStorage> = new Map<
  string,
  typeof FileSystemStorage
>([
  ['without flushes of folders', FolderlessStorage],
  ['without flushes of files', FilelessStorage],
]);
