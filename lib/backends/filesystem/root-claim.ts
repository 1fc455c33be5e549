import { ConfigurationError } from '../../contract/index.js';
import { parseOwner } from '../../contract/process-identity.js';
import type { DeadOwners } from './dead-owners.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { Layout } from './layout.js';
import { lockHolder } from './lock-file.js';
import type { Owner } from './owner.js';

/**
 * Decides who may use a root: one exclusive storage, or any number of others. Everybody shows itself first and looks afterwards, so
 * that of two who come at once at least one sees the other.
 *
 * @returns whether the last exclusive one died, and so left no lock files that tell which keys it was at
 * @throws ConfigurationError when that is somebody else
 */
export async function claimRoot(
  disk: Disk,
  layout: Layout,
  owner: Owner,
  dead: DeadOwners,
  exclusive: boolean,
): Promise<boolean> {
  let died = false;
  for (;;) {
    const holder = await lockHolder(disk, layout.claim);
    if (holder !== undefined) {
      if (await dead.breakIfDead(layout.claim, holder)) {
        died = true;
        continue;
      }
      // Still there, or another one is breaking it at this moment: then the next look tells.
      if ((await lockHolder(disk, layout.claim)) !== holder) continue;
      if (await dead.isDead(holder)) continue;
      throw new ConfigurationError(
        'FileSystemStorage: root is taken by another storage with exclusive: true; one root has one such storage at a time.',
      );
    }
    if (!exclusive) return died;
    try {
      await disk.link(owner.path, layout.claim);
      break;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  for (const { name } of await disk.readdir(layout.owners)) {
    const other = name.replace(/\.sock$/, '');
    if (other === owner.id || parseOwner(other) === undefined || (await dead.isDead(other))) continue;
    await releaseClaim(disk, layout);
    throw new ConfigurationError(
      'FileSystemStorage: exclusive is true, and root is in use by another storage, in this process or another.',
    );
  }
  return died;
}

export async function releaseClaim(disk: Disk, layout: Layout): Promise<void> {
  await unless(disk.unlink(layout.claim), 'ENOENT');
}
