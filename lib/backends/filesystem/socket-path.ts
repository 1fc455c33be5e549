import { lstatSync } from 'node:fs';
import type { Disk } from './disk.js';

/** The longest path a socket's address holds on every system (`sun_path`), with room for the NUL. */
const MAX_ADDRESS_BYTES = 103;

/** A way to a socket that fits its address, kept open until it is released. */
export interface SocketPath {
  readonly path: string;
  release(): Promise<void>;
}

/** @returns `undefined` where the folder's path is too long and the system knows no shorter one */
export async function bindable(disk: Disk, folder: string, name: string): Promise<SocketPath | undefined> {
  const direct = `${folder}/${name}`;
  if (Buffer.byteLength(direct) <= MAX_ADDRESS_BYTES) return { path: direct, release: () => Promise.resolve() };
  if (!knowsDescriptorsAsPaths()) return undefined;
  const fd = await disk.open(folder, 'r');
  return { path: `/proc/self/fd/${fd}/${name}`, release: () => disk.close(fd) };
}

function knowsDescriptorsAsPaths(): boolean {
  return lstatSync('/proc/self/fd', { throwIfNoEntry: false }) !== undefined;
}
