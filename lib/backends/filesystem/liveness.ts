import { connect } from 'node:net';
import { isProcessGone, parseOwner, processIdentity, type ProcessIdentity } from '../../contract/process-identity.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { Layout } from './layout.js';
import { LISTENING, socketName } from './owner.js';
import { bindable } from './socket-path.js';

/** Tells dead owners from living ones. When unsure, an owner is alive: a writer's files are never taken from under it. */
export class Liveness {
  readonly #disk: Disk;
  readonly #layout: Layout;
  #self: ProcessIdentity | undefined;

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  async isDead(owner: string): Promise<boolean> {
    const other = parseOwner(owner);
    if (other === undefined) return false; // a stranger's file
    const self = (this.#self ??= processIdentity());
    if (other.boot !== self.boot) return true;
    if (other.namespace === self.namespace && isProcessGone(other)) return true;
    return this.#isSilent(owner);
  }

  /** Nobody listens any more: the kernel closed the socket with its process or thread. */
  async #isSilent(owner: string): Promise<boolean> {
    let way;
    try {
      way = await bindable(this.#disk, this.#layout.owners, socketName(owner));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    if (way === undefined) return false;
    let answer: string | undefined;
    try {
      answer = await knock(way.path);
    } finally {
      await way.release();
    }
    if (answer === 'ECONNREFUSED') return true;
    if (answer !== 'ENOENT') return false;
    // A socket that was there is removed when its owner closes, which removes the file first, or when its thread is terminated.
    const path = `${this.#layout.owners}/${owner}`;
    const file = await this.#disk.readFile(path);
    if (file !== undefined) return file.endsWith(LISTENING);
    return (await unless(this.#disk.lstat(path), 'ENOENT')) === undefined;
  }
}

/** @returns why nobody answered; `undefined` when somebody did */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => {
      socket.destroy();
      resolve(errnoOf(error) ?? 'unknown');
    });
  });
}
