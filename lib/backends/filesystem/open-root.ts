import { ConfigurationError, PermissionError } from '../../contract/index.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { FileSystemSettings } from './filesystem-storage-config.js';
import { ATTRIBUTES_MARK, Generations } from './generation.js';
import { Layout, parentOf } from './layout.js';
import type { Owner } from './owner.js';

/** A moment with every digit of a microsecond, to see which of them a file system keeps. */
const PROBE_SECONDS = (1_000_000_000_123_457 + 0.5) / 1_000_000;
const PROBE_NS = 1_000_000_000_123_457_000n;
/** The coarsest clock on which versions of a key can be told apart without waiting. */
const COARSEST_NS = 1_000_000n;

/** Makes the root if it is missing. @returns where everything lies below it */
export async function openRoot(disk: Disk, settings: FileSystemSettings): Promise<Layout> {
  const { root, directoryMode, durable } = settings;
  if (process.platform === 'win32') {
    throw new ConfigurationError('FileSystemStorage needs a POSIX system: links, modes and rename as they are there.');
  }
  let real: string;
  try {
    await makeRoot(disk, root, directoryMode, durable);
    real = await disk.realpath(root);
  } catch (error) {
    throw unusable(error);
  }
  if (!(await disk.lstat(real)).isDirectory()) throw notAFolder();
  const layout = new Layout(real);
  const stats = await unless(disk.lstat(layout.private), 'ENOENT');
  if (stats !== undefined && !stats.isDirectory()) {
    throw new ConfigurationError(
      'FileSystemStorage: root holds something named .storages that is no folder; the storage keeps its own files under that name.',
    );
  }
  return layout;
}

/**
 * As mkdir -p, with exact permission bits where they are given: recursive mkdir obeys the umask, and a folder that is there stays as it is.
 *
 * @param hasParent what is above it was made: a file system in which nothing can be made (/proc) answers ENOENT all the same, for ever
 */
async function makeRoot(
  disk: Disk,
  path: string,
  mode: number | undefined,
  durable: boolean,
  hasParent = false,
): Promise<void> {
  try {
    await disk.mkdir(path, { mode: mode ?? 0o755 });
    if (mode !== undefined) await disk.chmod(path, mode);
    if (durable) await syncFolder(disk, parentOf(path));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' && !hasParent) {
      await makeRoot(disk, parentOf(path), mode, durable);
      await makeRoot(disk, path, mode, durable, true);
    } else if (errno === 'EACCES' || errno === 'EROFS' || errno === 'EPERM') {
      // No matter, if it is there already.
      if ((await unless(disk.lstat(path), 'ENOENT', 'EACCES')) === undefined) throw error;
    } else if (errno !== 'EEXIST') {
      throw error;
    }
  }
}

/** A power cut must not take the folder with everything in it. */
async function syncFolder(disk: Disk, path: string): Promise<void> {
  const fd = await disk.open(path, 'r');
  try {
    await disk.fsync(fd);
  } finally {
    await disk.close(fd);
  }
}

/** The messages go without the path, which may reach a client: it is in the cause. */
function unusable(error: unknown): unknown {
  switch (errnoOf(error)) {
    case 'ENOTDIR':
    case 'EEXIST':
      return notAFolder(error);
    case 'ELOOP':
    case 'ENAMETOOLONG':
    case 'ENOENT':
      return new ConfigurationError('FileSystemStorage: root does not lead to a folder.', { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PermissionError(
        'The root folder cannot be made or entered by this process: give its user the right to write there, or set `root` to another folder.',
        { cause: error },
      );
    default:
      return error;
  }
}

function notAFolder(cause?: unknown): ConfigurationError {
  return new ConfigurationError('FileSystemStorage: root is a file, or below one, and must be a folder.', { cause });
}

/**
 * Tries what the scheme stands on with the owner's own file, which nobody else changes.
 *
 * @returns what versions look like there
 * @throws ConfigurationError for a file system that cannot hold a storage
 */
export async function probeFileSystem(disk: Disk, layout: Layout, owner: Owner): Promise<Generations> {
  const path = `${layout.temporary}/${owner.id}.probe`;
  try {
    await disk.link(owner.path, path);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error;
    throw new ConfigurationError(
      'FileSystemStorage: root lies on a file system without hard links, which decide who creates a file.',
      { cause: error },
    );
  }
  try {
    await disk.utimes(path, PROBE_SECONDS);
    // EFTYPE: some systems keep the bit for the superuser
    await unless(disk.chmod(path, 0o644 | ATTRIBUTES_MARK), 'EFTYPE', 'EPERM');
    const { mtimeNs, mode } = await disk.lstat(path);
    const lost = PROBE_NS - mtimeNs;
    if (lost > COARSEST_NS || lost < -COARSEST_NS) {
      throw new ConfigurationError(
        'FileSystemStorage: root lies on a file system that keeps no fractions of a second, so that versions of a file cannot be told apart.',
      );
    }
    return new Generations((Number(mode) & ATTRIBUTES_MARK) !== 0, lost === 0n);
  } finally {
    await disk.unlink(path);
  }
}
