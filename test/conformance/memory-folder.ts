import { accessSync, constants, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';

const MEMORY_DISK = '/dev/shm';
/** Of statfs(2): TMPFS_MAGIC. */
const TMPFS = 0x01021994;
/** What a run of the suite may need at once, and as much again for one beside it, in bytes. */
const ROOM = 1024 * 1024 * 1024;

/**
 * Where the further configurations of a backend have their files: in memory, where the system has a tmpfs and room for it (Linux), else in
 * the folder for temporary files. The first configuration stays on the disk. A further one promises nothing of a power cut, so the disk adds nothing
 * to it but time: an ext4 without a journal looks at every file that was deleted in the last five minutes before it makes the next (the inodes of
 * those are not used again so soon), and the suite deletes tens of thousands.
 */
export function memoryFolder(): string {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY_DISK);
    accessSync(MEMORY_DISK, constants.W_OK | constants.X_OK);
    // what the tmpfs would take is no memory yet
    return type === TMPFS && Math.min(bavail * bsize, availableMemory() / 2) >= ROOM ? MEMORY_DISK : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Bytes. Node has its own word for it from 20.13 on, which knows of the bounds of a container. */
function availableMemory(): number {
  const { availableMemory: ask } = process as { readonly availableMemory?: () => number };
  return ask?.() ?? freemem();
}
