import { parseOwner } from '../../contract/process-identity.js';
import type { AttributeFiles } from './attribute-files.js';
import type { DeadOwners } from './dead-owners.js';
import { unless, type Disk } from './disk.js';
import type { Layout } from './layout.js';
import { lockedKey, lockHolder } from './lock-file.js';
import { ownerOfName } from './owner.js';

/** What a sweep works with. */
export interface SweepParts {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly dead: DeadOwners;
  readonly attributes: AttributeFiles;
  /** Heals a key under its lock. */
  readonly heal: (key: string) => Promise<void>;
  /** Nobody else is on the root, and the locks of this storage are no files. */
  readonly exclusive: boolean;
  /** One died that had the root for itself: what is left without a lock is looked for too. */
  readonly exclusiveDied: boolean;
}

/** How much a sweep removed. */
export interface Swept {
  readonly temporaries: number;
  readonly locks: number;
}

/** Removes what dead owners left, and never anything of a living one: neither of another process nor of another storage in this one. */
export async function sweep({
  disk,
  layout,
  dead,
  attributes,
  heal,
  exclusive,
  exclusiveDied,
}: SweepParts): Promise<Swept> {
  let temporaries = 0;
  let locks = 0;
  const verdicts = new Map<string, Promise<boolean>>();
  const isDead = (owner: string): Promise<boolean> => {
    const verdict = verdicts.get(owner) ?? dead.isDead(owner);
    verdicts.set(owner, verdict);
    return verdict;
  };
  const names = async (folder: string): Promise<string[]> =>
    ((await unless(disk.readdir(folder), 'ENOENT')) ?? []).map(({ name }) => name);

  for (const name of await names(layout.guards)) await dead.breakGuardIfDead(`${layout.guards}/${name}`);

  for (const name of await names(layout.locks)) {
    const path = `${layout.locks}/${name}`;
    const holder = await lockHolder(disk, path);
    const key = await lockedKey(disk, path);
    if (holder === undefined || key === undefined || !(await isDead(holder))) continue;
    // Taking the lock breaks it, unless this storage's own locks are in memory.
    if (exclusive) await dead.breakIfDead(path, holder, () => heal(key));
    else await heal(key);
    locks++;
  }

  for (const name of await names(layout.temporary)) {
    const owner = name.slice(0, name.lastIndexOf('.'));
    if (parseOwner(owner) !== undefined && (await isDead(owner))) {
      await unless(disk.unlink(`${layout.temporary}/${name}`), 'ENOENT');
      temporaries++;
    }
  }

  for (const name of await names(layout.owners)) {
    const owner = ownerOfName(name);
    if (parseOwner(owner) === undefined || !(await isDead(owner))) continue;
    // One that shows itself at this moment, and whose socket goes, begins again.
    await unless(disk.unlink(`${layout.owners}/${name}`), 'ENOENT');
  }

  // One that had the root for itself had no lock files to tell which keys it was at.
  if (exclusiveDied) for await (const key of attributes.keys()) await heal(key);
  return { temporaries, locks };
}
