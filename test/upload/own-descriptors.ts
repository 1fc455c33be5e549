import { readdirSync, readlinkSync } from 'node:fs';

/**
 * The open descriptors of this process that can be a test's: sockets, each by its number, and what lies below a folder. The others are not its
 * own, and come and go.
 */
export function ownDescriptors(folder?: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith('socket:') || (folder !== undefined && target.startsWith(`${folder}/`)) ? [target] : [];
    } catch {
      return []; // that of the listing itself
    }
  });
}

/** Those of the later ones that are not among the earlier ones, each as often as it is too many. */
export function addedDescriptors(earlier: readonly string[], later: readonly string[]): string[] {
  const left = [...earlier];
  return later.filter((each) => {
    const index = left.indexOf(each);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
