import { constants } from 'node:fs';
import { constants as bufferConstants } from 'node:buffer';
import {
  FileNotFoundError,
  FileTooLargeError,
  resolveRead,
  type OpenedFile,
  type ResolvedGetOptions,
  type ResolvedRange,
  type StoredFile,
} from '../../contract/index.js';
import type { AttributeFiles } from './attribute-files.js';
import { defaultAttributes } from './attributes-text.js';
import { describeObject } from './describe-object.js';
import { unless, type Disk } from './disk.js';
import { BytesReader, FileReader, readExactly } from './file-reader.js';
import { sameGeneration, type Generation, type Generations } from './generation.js';
import type { Layout } from './layout.js';
import { NOTHING_THERE, type ObjectTree, type StoredObject } from './object-tree.js';

/** Not through a link, and not waiting for a writer at a FIFO's other end. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Up to here an object is read and its descriptor closed before anybody asks for the first byte. */
const SMALL_BYTES = 64 * 1024;

/** How often a file is opened of which the system tells another path though no link is on the way. */
const MAX_TRIES = 3;

/** An open version of an object. Whoever has it closes it. */
export interface Snapshot {
  readonly fd: number;
  readonly file: StoredFile;
}

/** Reads objects. It takes no lock: a version that is open stays whole, whatever becomes of its key. */
export class ObjectReader {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #tree: ObjectTree;
  readonly #attributes: AttributeFiles;
  readonly #generations: Generations;

  constructor(disk: Disk, layout: Layout, tree: ObjectTree, attributes: AttributeFiles, generations: Generations) {
    this.#disk = disk;
    this.#layout = layout;
    this.#tree = tree;
    this.#attributes = attributes;
    this.#generations = generations;
  }

  async info(key: string): Promise<StoredFile> {
    const file = await this.find(key);
    if (file === undefined) throw new FileNotFoundError(key);
    return file;
  }

  async find(key: string): Promise<StoredFile | undefined> {
    for (;;) {
      const { object } = await this.#tree.locate(key);
      if (object === undefined) return undefined;
      const file = await this.describe(key, object);
      if (file !== undefined) return file;
    }
  }

  async exists(key: string): Promise<boolean> {
    return (await this.#tree.locate(key)).object !== undefined;
  }

  /** @returns `undefined` when the object was replaced meanwhile */
  async describe(key: string, { path, generation }: StoredObject): Promise<StoredFile | undefined> {
    if (!generation.marked) return describeObject(key, generation, defaultAttributes(key), undefined);
    const stored = await this.#attributes.read(key, generation);
    if (stored !== undefined) return describeObject(key, generation, stored.attributes, stored.text);
    // Attributes go when their body has gone; a body that is still the same never had any, as a copy made by a stranger.
    const now = await unless(this.#disk.lstat(path), ...NOTHING_THERE);
    if (now === undefined || !sameGeneration(this.#generations.of(now), generation)) return undefined;
    return describeObject(key, generation, defaultAttributes(key), undefined);
  }

  async get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { fd, file } = await this.open(key);
    let handedOver = false;
    try {
      const range = resolveRead(file, options);
      const { offset, length } = range ?? whole(file);
      if (length <= SMALL_BYTES) {
        return { file, range, body: new BytesReader(await readExactly(this.#disk, fd, key, offset, length)) };
      }
      handedOver = true;
      return { file, range, body: new FileReader(this.#disk, fd, key, offset, length) };
    } finally {
      if (!handedOver) await (file.size <= SMALL_BYTES ? this.#disk.closeWritten(fd) : this.#disk.close(fd));
    }
  }

  async getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    const { fd, file } = await this.open(key);
    try {
      const { offset, length } = resolveRead(file, options) ?? whole(file);
      if (length > bufferConstants.MAX_LENGTH) {
        throw new FileTooLargeError(
          `A Buffer holds at most ${bufferConstants.MAX_LENGTH} bytes: read the file as a stream.`,
          {
            key,
          },
        );
      }
      return await this.#readWhole(fd, key, offset, length, options.signal);
    } finally {
      await this.#disk.close(fd);
    }
  }

  async #readWhole(fd: number, key: string, offset: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    const step = 16 * 1024 * 1024;
    if (length <= step) return readExactly(this.#disk, fd, key, offset, length);
    const pieces: Buffer[] = [];
    for (let done = 0; done < length; done += step) {
      signal?.throwIfAborted();
      pieces.push(await readExactly(this.#disk, fd, key, offset + done, Math.min(step, length - done)));
    }
    return Buffer.concat(pieces, length);
  }

  /** @throws FileNotFoundError */
  async open(key: string): Promise<Snapshot> {
    for (;;) {
      const opened = (await this.#openNatural(key)) ?? (await this.#openRegular(this.#layout.overflow(key)));
      // Both missing is not found: an object never moves while it lives.
      if (opened === undefined) throw new FileNotFoundError(key);
      let file: StoredFile | undefined;
      try {
        file = await this.describe(key, opened);
        if (file !== undefined) return { fd: opened.fd, file };
      } finally {
        if (file === undefined) await this.#disk.close(opened.fd);
      }
    }
  }

  async #openNatural(key: string): Promise<(StoredObject & { readonly fd: number }) | undefined> {
    const path = this.#layout.natural(key);
    if (path === undefined) return undefined;
    for (let tries = 1; ; tries++) {
      const opened = await this.#openRegular(path);
      if (opened === undefined || this.#liesAt(key, opened)) return opened;
      // Behind a link; or on a system that tells it otherwise, of a file that was replaced meanwhile, or never.
      let taken = false;
      try {
        if (!(await this.#tree.isReachable(key, path))) return undefined;
        taken = tries === MAX_TRIES;
        if (taken) return opened;
      } finally {
        if (!taken) await this.#disk.close(opened.fd);
      }
    }
  }

  /** Whether what was opened lies where its key says: asked of the open file, which no link that is put in the way later can change. */
  #liesAt(key: string, { fd, path }: { readonly fd: number; readonly path: string }): boolean {
    if (!key.includes('/')) return true;
    const found = this.#disk.pathOf(fd);
    return found === path || found === `${path} (deleted)`;
  }

  async #openRegular(path: string): Promise<(StoredObject & { readonly fd: number }) | undefined> {
    // ENXIO: a socket
    const fd = await unless(this.#disk.open(path, OPEN_FLAGS), ...NOTHING_THERE, 'ENXIO');
    if (fd === undefined) return undefined;
    let generation: Generation | undefined;
    try {
      // opening has brought the inode to memory
      const stats = await this.#disk.fstatWritten(fd);
      if (stats.isFile()) generation = this.#generations.of(stats);
    } finally {
      if (generation === undefined) await this.#disk.close(fd);
    }
    return generation === undefined ? undefined : { fd, path, generation };
  }
}

function whole(file: StoredFile): ResolvedRange {
  return { offset: 0, length: file.size };
}
