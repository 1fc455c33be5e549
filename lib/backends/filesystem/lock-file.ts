import { errnoOf, type Disk } from './disk.js';
import { hashOfKey } from './layout.js';

/** Longest name of a lock that holds the key itself. */
const MAX_NAME_BYTES = 250;

/**
 * `k` and the key, escaped; `h` and its hash for a key that is too long, and then the lock is a symbolic link to owner and key, or, where links
 * have no room for them, a file that holds both.
 */
export function lockName(key: string): string {
  const name = `k${key.replace(/[%/]/g, (character) => (character === '%' ? '%25' : '%2F'))}`;
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? `h${hashOfKey(key)}` : name;
}

/** Whose lock it is; `undefined` when it is gone. */
export async function lockHolder(disk: Disk, path: string): Promise<string | undefined> {
  if (!isLongLock(path)) return (await disk.readFile(path))?.split(' ', 1)[0];
  const text = await longLockText(disk, path);
  return text?.slice(0, text.indexOf('/'));
}

/** The key that a lock is for; `undefined` when it is gone, or none of this storage's. */
export async function lockedKey(disk: Disk, path: string): Promise<string | undefined> {
  if (isLongLock(path)) {
    const text = await longLockText(disk, path);
    return text?.slice(text.indexOf('/') + 1);
  }
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!name.startsWith('k')) return undefined;
  return name.slice(1).replaceAll('%2F', '/').replaceAll('%25', '%');
}

async function longLockText(disk: Disk, path: string): Promise<string | undefined> {
  try {
    return await disk.readlink(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return undefined;
    // no link: a file
    if (errno === 'EINVAL') return disk.readFile(path);
    throw error;
  }
}

/** Whether a lock may have this name. */
export function isLock(name: string): boolean {
  return name.startsWith('k') || name.startsWith('h');
}

export function isLongLock(path: string): boolean {
  return path.startsWith('h', path.lastIndexOf('/') + 1);
}
