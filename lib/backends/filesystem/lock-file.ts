import { unless, type Disk } from './disk.js';
import { hashOfKey } from './layout.js';

/** Longest name of a lock that holds the key itself. */
const MAX_NAME_BYTES = 250;

/** `k` and the key, escaped; `h` and its hash for a key that is too long, and then the lock is a symbolic link to owner and key. */
export function lockName(key: string): string {
  const name = `k${key.replace(/[%/]/g, (character) => (character === '%' ? '%25' : '%2F'))}`;
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? `h${hashOfKey(key)}` : name;
}

/** Whose lock it is; `undefined` when it is gone. */
export async function lockHolder(disk: Disk, path: string): Promise<string | undefined> {
  if (!isLongLock(path)) return (await unless(disk.readFile(path), 'ENOENT'))?.split(' ', 1)[0];
  const target = await unless(disk.readlink(path), 'ENOENT', 'EINVAL');
  return target?.slice(0, target.indexOf('/'));
}

/** The key that a lock is for; `undefined` when it is gone, or none of this storage's. */
export async function lockedKey(disk: Disk, path: string): Promise<string | undefined> {
  if (isLongLock(path)) {
    const target = await unless(disk.readlink(path), 'ENOENT', 'EINVAL');
    return target?.slice(target.indexOf('/') + 1);
  }
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!name.startsWith('k')) return undefined;
  return name.slice(1).replaceAll('%2F', '/').replaceAll('%25', '%');
}

/** Whether a lock may have this name. */
export function isLock(name: string): boolean {
  return name.startsWith('k') || name.startsWith('h');
}

export function isLongLock(path: string): boolean {
  return path.startsWith('h', path.lastIndexOf('/') + 1);
}
