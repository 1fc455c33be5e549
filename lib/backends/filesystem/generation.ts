import { hash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

/** The sticky bit, which means nothing on a file: here it says that attributes are stored beside it. */
export const ATTRIBUTES_MARK = 0o1000;

/** Which version of an object a file is. */
export interface Generation {
  /** Survives a rename, and is given to the next file as soon as this one is gone: never enough by itself. */
  readonly inode: bigint;
  /** Rises strictly from one version of a key to the next. */
  readonly mtimeNs: bigint;
  readonly size: bigint;
  /** Whether attributes are stored beside it. A copy made by a stranger may have the mark and not the attributes. */
  readonly marked: boolean;
}

/** Reads generations off files, on a file system that keeps the mark or on one that does not. */
export class Generations {
  /** The mode bits that mark a file. Without them every file counts as marked: its attributes are looked for always. */
  readonly mark: number;
  /** Whether a file gets exactly the microsecond that it was told to have. */
  readonly exactTimes: boolean;
  readonly #mask: bigint;

  constructor(marksKept: boolean, exactTimes: boolean) {
    this.exactTimes = exactTimes;
    this.mark = marksKept ? ATTRIBUTES_MARK : 0;
    this.#mask = BigInt(this.mark);
  }

  of(stats: BigIntStats): Generation {
    return {
      inode: stats.ino,
      mtimeNs: stats.mtimeNs,
      size: stats.size,
      marked: (stats.mode & this.#mask) === this.#mask,
    };
  }
}

/** Whether attributes written for one are those of the other. Without the inode, which `cp -a` changes. */
export function sameGeneration(a: Generation, b: Generation): boolean {
  return a.mtimeNs === b.mtimeNs && a.size === b.size;
}

/** An opaque name of a version: it shows nothing of the machine. */
export function etagOf(generation: Generation, attributes: string | undefined): string {
  const { inode, mtimeNs, size } = generation;
  return hash(
    'sha1',
    `${inode.toString()} ${mtimeNs.toString()} ${size.toString()} ${attributes ?? ''}`,
    'base64url',
  ).slice(0, 20);
}
