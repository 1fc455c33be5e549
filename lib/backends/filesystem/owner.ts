import { randomBytes, hash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { ownerId, processIdentity } from '../../contract/process-identity.js';
import { unless, type Disk } from './disk.js';
import type { Layout } from './layout.js';
import { bindable } from './socket-path.js';

/**
 * One open storage, as its neighbours on the same root see it: a file whose links are its locks, and a listening socket that falls
 * silent with the process, the worker thread or the container that held it, whatever pid it has and in whatever namespace.
 */
export class Owner {
  /** `pid.start.boot.namespace.random`, which is also a name for a file. */
  readonly id: string;
  readonly path: string;
  readonly #disk: Disk;
  readonly #layout: Layout;
  #server: Server | undefined;
  #promisesSocket = false;
  #renewing: Promise<void> | undefined;
  #releaseSocket: (() => Promise<void>) | undefined;

  private constructor(disk: Disk, layout: Layout, id: string) {
    this.#disk = disk;
    this.#layout = layout;
    this.id = id;
    this.path = `${layout.owners}/${id}`;
  }

  /** Shows itself to the neighbours: the socket first, so that whoever sees the file can ask. */
  static async announce(disk: Disk, layout: Layout): Promise<Owner> {
    const owner = new Owner(disk, layout, ownerId(processIdentity(), randomBytes(6).toString('hex')));
    try {
      await owner.#listen();
      await owner.#write(owner.path, owner.#content);
    } catch (error) {
      await owner.withdraw();
      throw error;
    }
    return owner;
  }

  /** Writes the file again that a stranger has removed. The socket may have gone with it, so none is promised from now on. */
  restore(): Promise<void> {
    this.#promisesSocket = false;
    return this.#write(this.path, this.#content);
  }

  /**
   * Puts another file in the place of the one that locks are linked from, whose links stay what they are. For when it has no room for more: a file of
   * ext4 has 65,000 (link(2), EMLINK).
   */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const path = `${this.#layout.temporary}/${this.id}.owner`;
    try {
      await this.#write(path, this.#content);
      await this.#disk.rename(path, this.path);
    } catch (error) {
      await unless(this.#disk.unlink(path), 'ENOENT');
      throw error;
    }
  }

  get #content(): string {
    return this.#promisesSocket ? `${this.id} ${LISTENING}` : this.id;
  }

  /** The file that locks are linked from: its content says whose lock it is. */
  async #write(path: string, content: string): Promise<void> {
    const fd = await this.#disk.open(path, 'w', 0o644);
    try {
      await this.#disk.writev(fd, [Buffer.from(content)]);
      // Once for each storage: a lock must not come back empty after a power cut.
      await this.#disk.fsync(fd);
    } finally {
      await this.#disk.close(fd);
    }
  }

  /** Closes the socket and removes the file: from now on this owner counts as dead. */
  async withdraw(): Promise<void> {
    try {
      await unless(this.#disk.unlink(this.path), 'ENOENT');
    } finally {
      // also where the file stays: whoever is silent is dead, and swept by the next
      await this.#fallSilent();
    }
  }

  async #fallSilent(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
    try {
      await unless(this.#disk.unlink(socketName(this.path)), 'ENOENT');
    } finally {
      await this.#releaseSocket?.();
      this.#releaseSocket = undefined;
    }
  }

  async #listen(): Promise<void> {
    const unheard = unheardSocketName(this.id);
    const bound = await bindable(this.#disk, this.#layout.owners, unheard);
    if (bound === undefined) return;
    this.#releaseSocket = bound.release;
    // Whoever connects has its answer by that alone.
    const server = createServer((socket) => socket.destroy());
    server.unref();
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false); // a file system without sockets: then the pid has to do
      });
      server.listen(bound.path, () => {
        resolve(true);
      });
    });
    if (!listening) return;
    this.#server = server;
    // Only now: a socket that is bound and does not listen yet is as silent as that of a dead owner, and would be swept.
    await this.#disk.rename(`${this.#layout.owners}/${unheard}`, socketName(this.path));
    this.#promisesSocket = true;
  }
}

/** Stands in an owner's file behind its id when there is a socket that can be asked. */
export const LISTENING = 'listening';

export function socketName(owner: string): string {
  return `${owner}.sock`;
}

/** The name of a socket until somebody listens. */
function unheardSocketName(owner: string): string {
  return `${owner}.new`;
}

/** Whose file or socket it is, if it is one of an owner's. */
export function ownerOfName(name: string): string {
  return name.replace(/\.(?:sock|new)$/, '');
}

/** A short name for a pair of things, for guards. */
export function hashOfPair(a: string, b: string): string {
  return hash('sha256', `${a}\0${b}`).slice(0, 32);
}
