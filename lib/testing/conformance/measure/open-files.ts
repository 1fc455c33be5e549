import { fstatSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The regular files that this process has open, by descriptor; `undefined` where the system does not tell (it needs `/proc`).
 * Files only: sockets and pipes come and go with the runner.
 */
export function openFiles(): ReadonlyMap<number, string> | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return undefined;
  }
  const files = new Map<number, string>();
  for (const name of names) {
    const descriptor = Number(name);
    try {
      if (fstatSync(descriptor).isFile()) files.set(descriptor, readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // it was the descriptor of the listing itself
    }
  }
  return files;
}

/** What is open now and was not before. */
export function newlyOpen(before: ReadonlyMap<number, string> | undefined): readonly string[] {
  if (before === undefined) return [];
  const now = openFiles() ?? new Map<number, string>();
  return [...now].filter(([descriptor, path]) => before.get(descriptor) !== path).map(([, path]) => path);
}

/**
 * Waits, turn by turn, until nothing is open that was not before: a file that was told to close has some turns to do so. One that is
 * never closed is what is given back.
 */
export async function stillOpen(before: ReadonlyMap<number, string> | undefined): Promise<readonly string[]> {
  const end = performance.now() + 1000;
  let open = newlyOpen(before);
  while (open.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setImmediate(resolve));
    open = newlyOpen(before);
  }
  return open;
}
