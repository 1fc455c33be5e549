import type { BigIntStats } from 'node:fs';
import { compareKeys, MAX_KEY_BYTES } from '../../contract/index.js';
import { unless, type Disk } from './disk.js';
import type { Generations } from './generation.js';
import { decodeOverflowName, isPrivateName, PRIVATE_FOLDER, type Layout } from './layout.js';
import { NOTHING_THERE, type StoredObject } from './object-tree.js';

/** How many files are asked for their generation at once. */
const STATS_AT_ONCE = 32;

/** What a part of a canonical key cannot have. Bytes that are no UTF-8 come as U+FFFD, and then lstat finds nothing. */
const NO_PART_OF_A_KEY = /[\\\p{Cc}\p{Cs}]/u;
const NOT_UTF_8 = '\ufffd';
/** Where the order of UTF-16 units may differ from that of UTF-8 bytes. */
const HIGH_UNIT = /[\ud800-\uffff]/;

export interface WalkOptions {
  readonly prefix: string;
  /** Only what comes after it. */
  readonly startAfter?: string | undefined;
  /** At most so many objects will be asked for. */
  readonly limit?: number | undefined;
  /** Ends a group: folders whose keys all have it behind the prefix are yielded, not read. */
  readonly delimiter?: '/' | undefined;
  /** Is told of what lies in the folders and is no object. Only a walk over everything hears of all. */
  readonly onPassedOver?: ((path: string, why: PassedOver, key: string) => void) | undefined;
}

/** `no-file`: a link, a socket, a FIFO, a device. `no-key`: a name that no key can have. `hidden`: an object behind a file at its ordinary path. */
export type PassedOver = 'no-file' | 'no-key' | 'hidden';

export type WalkItem =
  | { readonly kind: 'object'; readonly key: string; readonly object: StoredObject }
  | { readonly kind: 'group'; readonly prefix: string; readonly folder: FolderToRead };

/** One folder of one of the trees, and what all keys inside begin with. */
export interface FolderToRead {
  readonly tree: 'natural' | 'overflow';
  readonly path: string;
  readonly head: string;
}

interface Entry {
  readonly name: string;
  /** The key of a file; what all keys of a folder begin with. The least of either, which is what the order goes by. */
  readonly head: string;
  readonly file: boolean;
}

/** A folder that has been read, and how far the walk has come in it. */
interface Run extends FolderToRead {
  readonly entries: readonly Entry[];
  position: number;
  stats: (BigIntStats | undefined)[];
  /** The position that `stats` begins at. */
  statsFrom: number;
}

/**
 * One walk over both trees in UTF-8 byte order of the keys. A folder is read when its turn comes; memory holds the names of the
 * folders on the way down, and nothing of what lies behind.
 */
export class TreeWalk {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #generations: Generations;
  readonly #options: WalkOptions;
  /** Runs that are not at their end, the least head first. A handful: the folders on the way down, in two trees. */
  #runs: Run[] = [];

  constructor(disk: Disk, layout: Layout, generations: Generations, options: WalkOptions) {
    this.#disk = disk;
    this.#layout = layout;
    this.#generations = generations;
    this.#options = options;
  }

  async *items(start: readonly FolderToRead[]): AsyncGenerator<WalkItem> {
    for (const folder of start) await this.#read(folder);
    let lastKey: string | undefined;
    let lastGroup: string | undefined;
    for (let run = this.#runs[0]; run !== undefined; run = this.#runs[0]) {
      const entry = run.entries[run.position];
      if (entry === undefined) {
        this.#runs.shift();
        continue;
      }
      const path = `${run.path}/${entry.name}`;
      const { head } = entry;
      if (entry.file) {
        const stats = await this.#statsOf(run);
        this.#advance(run);
        // The ordinary path comes first and hides the other one.
        if (stats?.isFile() !== true || head === lastKey) {
          if (stats?.isFile() === true) this.#passOver(path, 'hidden', head);
          else if (stats === undefined && entry.name.includes(NOT_UTF_8)) this.#passOver(path, 'no-key', head);
          continue;
        }
        lastKey = head;
        yield { kind: 'object', key: head, object: { path, generation: this.#generations.of(stats) } };
        continue;
      }
      this.#advance(run);
      const folder: FolderToRead = { tree: run.tree, path, head };
      if (!this.#isGroup(head)) {
        await this.#read(folder);
      } else if (head !== lastGroup && (await this.#hasObject(folder))) {
        lastGroup = head;
        yield { kind: 'group', prefix: head, folder };
      }
    }
  }

  #isGroup(head: string): boolean {
    const { delimiter, prefix } = this.#options;
    return delimiter !== undefined && head.includes(delimiter, prefix.length) && head.startsWith(prefix);
  }

  async #read(folder: FolderToRead): Promise<void> {
    const entries = await this.#entries(folder);
    if (entries.length > 0) this.#insert({ ...folder, entries, position: 0, stats: [], statsFrom: 0 });
  }

  /** Gone, or no folder any more: it was removed while the walk was on its way. */
  async #entries({ tree, path, head }: FolderToRead): Promise<Entry[]> {
    const entries: Entry[] = [];
    let plain = true;
    const top = path === this.#layout.root;
    for (const entry of (await unless(this.#disk.readdir(path), ...NOTHING_THERE)) ?? []) {
      const { name } = entry;
      const isFile = entry.isFile();
      if (top && name === PRIVATE_FOLDER) continue;
      const addition = tree === 'natural' ? (isFile ? name : `${name}/`) : additionOf(name, isFile);
      const isNoKey = addition === undefined || NO_PART_OF_A_KEY.test(name) || (top && isPrivateName(name));
      if ((!isFile && !entry.isDirectory()) || isNoKey) {
        this.#passOver(`${path}/${name}`, isFile || entry.isDirectory() ? 'no-key' : 'no-file', head);
        continue;
      }
      const listed = { name, head: head + addition, file: isFile };
      if (isTooLong(listed.head)) this.#passOver(`${path}/${name}`, 'no-key', head);
      else if (this.#isWanted(listed)) {
        plain &&= !HIGH_UNIT.test(name);
        entries.push(listed);
      }
    }
    return plain ? entries.sort(compareUnits) : entries.sort((a, b) => compareKeys(a.head, b.head));
  }

  /** Whether a file, or anything in a folder, can be asked for. */
  #isWanted({ head, file }: Entry): boolean {
    const { prefix, startAfter, delimiter } = this.#options;
    if (!head.startsWith(prefix) && (file || !prefix.startsWith(head))) return false;
    if (startAfter === undefined || compareKeys(head, startAfter) > 0) return true;
    // A group stands where its own name does, and a folder that is read may hold what comes after.
    return !file && startAfter.startsWith(head) && !(delimiter !== undefined && this.#isGroup(head));
  }

  #passOver(path: string, why: PassedOver, key: string): void {
    this.#options.onPassedOver?.(path, why, key);
  }

  #advance(run: Run): void {
    run.position++;
    if (this.#runs.length === 1) return;
    this.#runs.splice(this.#runs.indexOf(run), 1);
    if (run.position < run.entries.length) this.#insert(run);
  }

  #insert(run: Run): void {
    const at = this.#runs.findIndex((other) => comesBefore(run, other));
    if (at < 0) this.#runs.push(run);
    else this.#runs.splice(at, 0, run);
  }

  /** What lstat says of the file that a run is at, asked for several at once. */
  async #statsOf(run: Run): Promise<BigIntStats | undefined> {
    if (run.position >= run.statsFrom + run.stats.length || run.position < run.statsFrom) {
      const { limit } = this.#options;
      const count = Math.min(STATS_AT_ONCE, limit ?? STATS_AT_ONCE);
      const calls: Promise<BigIntStats | undefined>[] = [];
      for (let i = run.position; i < run.entries.length && calls.length < count; i++) {
        const entry = run.entries[i];
        if (entry?.file !== true) break;
        calls.push(unless(this.#disk.lstat(`${run.path}/${entry.name}`), ...NOTHING_THERE));
      }
      run.statsFrom = run.position;
      run.stats = await Promise.all(calls);
    }
    return run.stats[run.position - run.statsFrom];
  }

  /** Whether there is anything in a folder: one that holds only links or empty folders is none. */
  async #hasObject(folder: FolderToRead): Promise<boolean> {
    const walk = new TreeWalk(this.#disk, this.#layout, this.#generations, { prefix: folder.head, limit: 1 });
    for await (const _ of walk.items([folder])) return true;
    return false;
  }
}

function comesBefore(a: Run, b: Run): boolean {
  const [x, y] = [a.entries[a.position]?.head ?? '', b.entries[b.position]?.head ?? ''];
  const order = compareKeys(x, y);
  return order < 0 || (order === 0 && a.tree === 'natural');
}

/** What a name in the overflow tree adds to the key; `undefined` for what is none of this storage's. */
function additionOf(name: string, isFile: boolean): string | undefined {
  const decoded = decodeOverflowName(name);
  return decoded?.file === isFile ? decoded.text : undefined;
}

function isTooLong(head: string): boolean {
  return head.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(head) > MAX_KEY_BYTES;
}

function compareUnits(a: Entry, b: Entry): number {
  return a.head < b.head ? -1 : 1;
}
