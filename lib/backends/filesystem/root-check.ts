import { parseOwner } from '../../contract/process-identity.js';
import type { AttributeFile, AttributeFiles } from './attribute-files.js';
import type { DeadOwners } from './dead-owners.js';
import { unless, type Disk } from './disk.js';
import type { Generations } from './generation.js';
import type { KeyLocks } from './key-locks.js';
import { PRIVATE_FOLDER, type Layout } from './layout.js';
import { isLock, lockHolder, lockName } from './lock-file.js';
import type { FileSystemCheckProblem, FileSystemCheckReport } from './maintenance.js';
import { NOTHING_THERE, type ObjectTree, type StoredObject } from './object-tree.js';
import { ownerOfName } from './owner.js';
import { TreeWalk, type PassedOver } from './tree-walk.js';

/** What a look at a whole root works with. */
export interface RootCheckParts {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly generations: Generations;
  readonly tree: ObjectTree;
  readonly attributes: AttributeFiles;
  readonly locks: KeyLocks;
  readonly dead: DeadOwners;
}

/** What a file says that is older has been written: the attributes of a writer at work are not read yet when they look damaged. */
const WRITTEN_MS = 60_000;

/** How long the lock of a key is waited for. A commit takes less, unless its process is stopped. */
const PATIENCE_MS = 1000;

const FOREIGN: Record<Exclude<PassedOver, 'hidden'>, string> = {
  'no-file': 'It is no file: a link, a socket, a FIFO or a device.',
  'no-key': 'No object can lie under this name.',
};

/** Looks at everything below a root, beside its readers and writers. What looks wrong is looked at again under the lock of its key. */
export class RootCheck {
  readonly #parts: RootCheckParts;
  readonly #problems: FileSystemCheckProblem[] = [];

  constructor(parts: RootCheckParts) {
    this.#parts = parts;
  }

  async run(): Promise<FileSystemCheckReport> {
    const { objects, bytes } = await this.#objects();
    await this.#attributes();
    await this.#leftovers();
    return { ok: this.#problems.length === 0, objects, bytes, problems: this.#problems };
  }

  /** Removes attribute files that belong to no object and have not changed for so long. @returns how many */
  async removeOrphans(olderThanMs: number): Promise<number> {
    let removed = 0;
    await this.#eachOrphan(olderThanMs, async ({ path }) => {
      await unless(this.#parts.disk.unlink(path), 'ENOENT');
      removed++;
    });
    return removed;
  }

  async #eachOrphan(olderThanMs: number, act: (orphan: AttributeFile) => Promise<void>): Promise<void> {
    const { attributes } = this.#parts;
    const nameless = new Map<string, AttributeFile>();
    for await (const file of attributes.all()) {
      const { key } = file;
      if (key === undefined) nameless.set(file.path, file);
      else if ((await this.#isOld(file, olderThanMs)) && (await this.#isOrphan(key, file))) {
        await this.#underLock(key, async () => {
          if (await this.#isOrphan(key, file)) await act(file);
        });
      }
    }
    if (nameless.size === 0) return;
    // only the objects can tell whose they are
    for await (const { key, object } of this.#walk()) nameless.delete(attributes.pathOf(key, object.generation));
    for (const file of nameless.values()) {
      if (await this.#isOld(file, Math.max(olderThanMs, WRITTEN_MS))) await act(file);
    }
  }

  /** @returns `undefined` when another writer is at the key, or died there: what it has begun cannot be judged */
  async #underLock<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    const { disk, layout, locks } = this.#parts;
    if ((await unless(disk.lstat(`${layout.locks}/${lockName(key)}`), 'ENOENT')) !== undefined) return undefined;
    const patience = AbortSignal.timeout(PATIENCE_MS);
    try {
      return await locks.hold(key, patience, work);
    } catch (error) {
      if (error !== patience.reason) throw error;
      return undefined;
    }
  }

  /** For certain only under the lock of its key, where no writer is between its attributes and its rename. */
  async #isOrphan(key: string, { path }: AttributeFile): Promise<boolean> {
    const { tree, attributes, disk } = this.#parts;
    if ((await unless(disk.lstat(path), 'ENOENT')) === undefined) return false;
    const { object } = await tree.locate(key);
    return object?.generation.marked !== true || attributes.pathOf(key, object.generation) !== path;
  }

  /** By the time of its last change of any kind: a restore brings old times along, but not this one. */
  async #isOld({ path }: AttributeFile, olderThanMs: number): Promise<boolean> {
    const stats = await unless(this.#parts.disk.lstat(path), 'ENOENT');
    return stats !== undefined && Date.now() - Number(stats.ctimeMs) >= olderThanMs;
  }

  async #objects(): Promise<{ objects: number; bytes: number }> {
    let objects = 0;
    let bytes = 0;
    const hidden: string[] = [];
    const walk = this.#walk((path, why, key) => {
      if (why === 'hidden') hidden.push(key);
      else this.#found('foreign', FOREIGN[why], { path });
    });
    for await (const { key, object } of walk) {
      objects++;
      bytes += Number(object.generation.size);
      const { marked } = object.generation;
      if (!marked || (await this.#parts.attributes.read(key, object.generation)) !== undefined) continue;
      if (await this.#underLock(key, () => this.#lacksAttributes(key))) {
        this.#found(
          'unreadable-attributes',
          'The attributes of the object are missing or damaged: it is read with default ones.',
          {
            key,
          },
        );
      }
    }
    for (const key of hidden) await this.#underLock(key, () => this.#hidden(key));
    return { objects, bytes };
  }

  async #hidden(key: string): Promise<void> {
    const { layout, tree, disk } = this.#parts;
    const path = layout.overflow(key);
    const { object } = await tree.locate(key);
    if (object === undefined || object.path === path) return;
    if ((await unless(disk.lstat(path), ...NOTHING_THERE)) === undefined) return;
    this.#found(
      'hidden-object',
      'An object lies behind a file that somebody put at its ordinary path. It comes to light when that is removed by hand.',
      { key, path },
    );
  }

  async #lacksAttributes(key: string): Promise<boolean> {
    const { object } = await this.#parts.tree.locate(key);
    if (object?.generation.marked !== true) return false;
    return (await this.#parts.attributes.read(key, object.generation)) === undefined;
  }

  async *#walk(
    onPassedOver?: (path: string, why: PassedOver, key: string) => void,
  ): AsyncGenerator<{ readonly key: string; readonly object: StoredObject }> {
    const { disk, layout, generations } = this.#parts;
    const walk = new TreeWalk(disk, layout, generations, { prefix: '', onPassedOver });
    const start = [
      { tree: 'natural', path: layout.root, head: '' },
      { tree: 'overflow', path: layout.overflowTree, head: '' },
    ] as const;
    for await (const item of walk.items(start)) if (item.kind === 'object') yield item;
  }

  async #attributes(): Promise<void> {
    await this.#eachOrphan(0, ({ path, key }) => {
      const about = { path, ...(key === undefined ? {} : { key }) };
      this.#found('orphaned-attributes', 'These attributes belong to no object. sweep() removes them.', about);
      return Promise.resolve();
    });
  }

  async #leftovers(): Promise<void> {
    const { layout, dead, disk } = this.#parts;
    const left = (path: string, message: string): void => {
      this.#found('leftover', `${message} The next start removes it, or sweep().`, { path });
    };
    for (const name of await this.#names(layout.temporary)) {
      const path = `${layout.temporary}/${name}`;
      const owner = name.slice(0, name.lastIndexOf('.'));
      if (parseOwner(owner) === undefined) this.#foreign(path);
      else if (await dead.isDead(owner)) left(path, 'Bytes that a killed process did not commit.');
    }
    for (const name of await this.#names(layout.owners)) {
      const path = `${layout.owners}/${name}`;
      const owner = ownerOfName(name);
      if (parseOwner(owner) === undefined) this.#foreign(path);
      else if (await dead.isDead(owner)) left(path, 'The record of a storage that is gone.');
    }
    for (const name of await this.#names(layout.locks)) {
      const path = `${layout.locks}/${name}`;
      const holder = await lockHolder(disk, path);
      if (!isLock(name) || (await this.#isNoLock(path, holder))) this.#foreign(path);
      else if (holder !== undefined && (await dead.isDead(holder))) left(path, 'The lock of a killed process.');
    }
    const own = new Set(layout.folders.map((path) => path.slice(layout.private.length + 1)));
    for (const name of await this.#names(layout.private)) {
      if (!own.has(name) && `${layout.private}/${name}` !== layout.claim) this.#foreign(`${layout.private}/${name}`);
    }
  }

  /** Whether something lies there that no owner holds: all that ask for the lock wait for it in vain. */
  async #isNoLock(path: string, holder: string | undefined): Promise<boolean> {
    if (holder !== undefined) return parseOwner(holder) === undefined;
    return (await unless(this.#parts.disk.lstat(path), 'ENOENT'))?.isFile() === false;
  }

  async #names(folder: string): Promise<string[]> {
    return ((await unless(this.#parts.disk.readdir(folder), 'ENOENT')) ?? []).map(({ name }) => name);
  }

  #foreign(path: string): void {
    this.#found('foreign', `The library did not make this, and leaves it in ${PRIVATE_FOLDER}.`, { path });
  }

  #found(kind: FileSystemCheckProblem['kind'], message: string, { key, path }: { key?: string; path?: string }): void {
    const { root } = this.#parts.layout;
    const relative = path === undefined ? {} : { path: path.slice(root === '/' ? 1 : root.length + 1) };
    this.#problems.push({ kind, ...(key === undefined ? {} : { key }), ...relative, message });
  }
}
