import { ConfigurationError } from '../../contract/index.js';
import { AttributeFiles } from './attribute-files.js';
import { DeadOwners } from './dead-owners.js';
import { DirectorySync } from './directory-sync.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { FileSystemSettings } from './filesystem-storage-config.js';
import { Folders } from './folders.js';
import type { Generations } from './generation.js';
import { KeyLocks } from './key-locks.js';
import type { Layout } from './layout.js';
import { Liveness } from './liveness.js';
import type { FileSystemCheckReport, FileSystemSweepReport } from './maintenance.js';
import { ObjectReader } from './object-reader.js';
import { ObjectTree } from './object-tree.js';
import { healKey, ObjectWriter } from './object-writer.js';
import { openRoot, probeFileSystem } from './open-root.js';
import { Owner } from './owner.js';
import { claimRoot, releaseClaim } from './root-claim.js';
import { RootCheck } from './root-check.js';
import { sweep, type Swept } from './sweep.js';
import { TemporaryFiles } from './temporary-files.js';

/** The parts of an open storage. */
export interface OpenStorage {
  readonly layout: Layout;
  readonly folders: Folders;
  readonly generations: Generations;
  readonly temporaries: TemporaryFiles;
  readonly writer: ObjectWriter;
  readonly reader: ObjectReader;
  check(): Promise<FileSystemCheckReport>;
  /** Removes what dead owners left since this storage was opened, and attributes that have had no object for so long. */
  sweep(olderThanMs: number): Promise<FileSystemSweepReport>;
  /** Leaves the root as it would be had this storage never been opened, but for the objects. */
  close(): Promise<void>;
}

/** Opens a root: makes it, shows itself to its neighbours, tries the file system, and sweeps what dead owners left. */
export async function openStorage(disk: Disk, settings: FileSystemSettings): Promise<OpenStorage> {
  const { durable, exclusive } = settings;
  const layout = await openRoot(disk, settings);
  await disk.learn(layout.root);
  const sync = new DirectorySync(disk, durable);
  const folders = new Folders(disk, sync, settings.directoryMode);
  const owner = await announce(disk, layout, folders);
  let claimed = false;
  try {
    const generations = await probeFileSystem(disk, layout, owner);
    const dead = new DeadOwners(disk, layout, folders, owner, new Liveness(disk, layout));
    const exclusiveDied = await claimRoot(disk, layout, owner, dead, exclusive);
    claimed = exclusive;
    const tree = new ObjectTree(disk, layout, folders, sync, generations);
    const attributes = new AttributeFiles(disk, folders, sync, layout.attributes, durable);
    const temporaries = new TemporaryFiles(disk, layout, folders, owner, generations, durable, settings.fileMode);
    const heal = (key: string): Promise<void> => healKey(tree, attributes, key);
    const locks = new KeyLocks(disk, layout, folders, owner, dead, exclusive, heal);
    const writer = new ObjectWriter(disk, tree, attributes, temporaries, locks, generations);
    const reader = new ObjectReader(disk, layout, tree, attributes, generations);
    const sweepDead = (diedExclusive: boolean): Promise<Swept> =>
      sweep({
        disk,
        layout,
        dead,
        attributes,
        heal: (key) => locks.hold(key, undefined, () => heal(key)),
        exclusive,
        exclusiveDied: diedExclusive,
      });
    await sweepDead(exclusiveDied);
    const lookAtAll = (): RootCheck => new RootCheck({ disk, layout, generations, tree, attributes, locks, dead });
    return {
      layout,
      folders,
      generations,
      temporaries,
      writer,
      reader,
      check: () => lookAtAll().run(),
      sweep: async (olderThanMs) => ({
        ...(await sweepDead(false)),
        attributes: await lookAtAll().removeOrphans(olderThanMs),
      }),
      close: () => leave(disk, layout, owner, claimed),
    };
  } catch (error) {
    await leave(disk, layout, owner, claimed);
    throw error;
  }
}

async function announce(disk: Disk, layout: Layout, folders: Folders): Promise<Owner> {
  for (const path of layout.folders) {
    // Also a link to a folder: it may lead out of the root.
    if ((await unless(disk.lstat(path), 'ENOENT'))?.isDirectory() === false) throw blocked();
  }
  for (;;) {
    for (const path of [layout.temporary, layout.owners, layout.locks]) {
      if (!(await folders.make(path))) throw blocked();
    }
    try {
      return await Owner.announce(disk, layout);
    } catch (error) {
      // A neighbour that closed has removed the empty folders meanwhile.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

function blocked(): ConfigurationError {
  return new ConfigurationError(
    'FileSystemStorage: root holds something in .storages that is no folder, where the storage keeps files of its own.',
  );
}

async function leave(disk: Disk, layout: Layout, owner: Owner, claimed: boolean): Promise<void> {
  if (claimed) await releaseClaim(disk, layout);
  await owner.withdraw();
  await removeEmptyPrivateFolders(disk, layout);
}

/** Whoever is the last on a root takes the folders along that have nothing in them: rmdir(2) itself decides. */
async function removeEmptyPrivateFolders(disk: Disk, layout: Layout): Promise<void> {
  const stays = ['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY', 'EACCES', 'EPERM'];
  const remove = async (path: string): Promise<void> => {
    await unless(disk.rmdir(path), ...stays);
  };
  await remove(layout.owners);
  if ((await unless(disk.lstat(layout.owners), 'ENOENT', 'ENOTDIR')) !== undefined) return; // a neighbour is there
  for (const { name } of (await unless(disk.readdir(layout.attributes), 'ENOENT', 'ENOTDIR')) ?? []) {
    await remove(`${layout.attributes}/${name}`);
  }
  for (const path of [layout.temporary, layout.locks, layout.guards, layout.attributes, layout.overflowTree]) {
    await remove(path);
  }
  await remove(layout.private);
}
