import { Readable } from 'node:stream';
import type { BaseStorage } from '../../../lib/contract/index.js';
import type { Changes } from '../judge/history.js';
import type { Random } from './random.js';
import { bodyOf, optionsOf, versionName } from './version.js';

const LANES = [0, 1, 2, 3];
/** Keys of one lane that it comes back to soon; one lies below another. */
const WARM = ['a', 'a/b', 'c'];
/** Keys of one lane that it seldom comes back to, each in a folder of its own. */
const COLD = Array.from({ length: 24 }, (_, i) => `cold/${i % 3}/${i}/k`);
/** Keys that all lanes write to. */
const HOT = ['hot', 'hot/x'];

const KIB = 1024;
/** Where backends change their ways: what lies in a row, a chunk, a buffer. */
const BORDERS = [0, 1, 8 * KIB, 8 * KIB + 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB];

type Say = (word: string, ...details: readonly unknown[]) => void;

function keysOf(lane: number): string[] {
  return [...WARM, ...COLD].map((key) => `${lane}/${key}`);
}

/** Every key that there may be. */
export function keysOfAll(): string[] {
  return [...LANES.flatMap(keysOf), ...HOT];
}

/** Puts, replaces, stages, copies, moves and deletes, one step after the other. */
export class Lane {
  readonly #lane: number;
  readonly #storage: BaseStorage;
  readonly #random: Random;
  readonly #say: Say;
  readonly #warm: readonly string[];
  readonly #own: readonly string[];
  readonly #state = new Map<string, string>();
  readonly #unique: string;
  #steps = 0;

  /** @param objects what is there */
  constructor(lane: number, storage: BaseStorage, objects: ReadonlyMap<string, string>, random: Random, say: Say) {
    this.#lane = lane;
    this.#storage = storage;
    this.#random = random;
    this.#say = say;
    this.#own = keysOf(lane);
    this.#warm = this.#own.slice(0, WARM.length);
    this.#unique = random.seed().toString(36);
    for (const key of this.#own) {
      const version = objects.get(key);
      if (version !== undefined) this.#state.set(key, version);
    }
  }

  async run(): Promise<never> {
    for (;;) await this.#change();
  }

  async #change(): Promise<void> {
    const random = this.#random;
    const key = this.#ownKey();
    const dice = random.between(0, 100);
    if (dice < 40) return this.#put(key);
    if (dice < 52) return this.#put(random.pick(HOT));
    if (dice < 62) return this.#stage(key);
    if (dice < 67) return this.#giveUp(key);
    if (dice < 70)
      return this.#step({ [random.pick(HOT)]: null }, ([hot]) => this.#storage.delete(hot, { force: true }));
    const source = this.#present();
    if (source === undefined) return this.#put(key);
    const [from, version] = source;
    if (dice < 80) return this.#step({ [from]: null }, () => this.#storage.delete(from));
    const onto = random.pick([key, key, ...HOT]);
    if (dice < 90) return this.#step({ [onto]: version }, () => this.#storage.copy(from, onto));
    if (key !== from) return this.#step({ [from]: null, [key]: version }, () => this.#storage.move(from, key));
  }

  #ownKey(): string {
    return this.#random.pick(this.#random.next() < 0.6 ? this.#warm : this.#own);
  }

  #present(): [string, string] | undefined {
    return this.#state.size === 0 ? undefined : this.#random.pick([...this.#state]);
  }

  async #put(key: string): Promise<void> {
    const version = this.#newVersion();
    const body = bodyOf(version);
    const data = this.#random.next() < 0.5 ? body : Readable.from(pieces(body), { objectMode: false });
    await this.#step({ [key]: version }, () => this.#storage.put(key, data, optionsOf(version)));
  }

  async #stage(key: string): Promise<void> {
    const version = this.#newVersion();
    const staged = await this.#storage.stage(key, bodyOf(version), optionsOf(version));
    await this.#step({ [key]: version }, () => staged.commit());
  }

  /** Nobody is told of it: it must never be seen. */
  async #giveUp(key: string): Promise<void> {
    const version = this.#newVersion();
    const staged = await this.#storage.stage(key, bodyOf(version), optionsOf(version));
    // it stays while the others go on
    await this.#put(key);
    await staged.abort();
  }

  async #step(changes: Changes, work: (keys: readonly [string]) => Promise<unknown>): Promise<void> {
    const id = `${this.#lane}.${this.#steps++}`;
    const [first = ''] = Object.keys(changes);
    this.#say('begin', id, changes);
    try {
      await work([first]);
    } catch (error) {
      this.#say('failed', id, String(error), 'none');
      return;
    }
    for (const [key, version] of Object.entries(changes)) {
      if (version === null) this.#state.delete(key);
      else if (this.#own.includes(key)) this.#state.set(key, version);
    }
    this.#say('done', id);
  }

  #newVersion(): string {
    return versionName(`${this.#unique}.${this.#steps++}`, this.#size(), this.#random.next() < 0.4);
  }

  #size(): number {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.55) return random.between(0, 4 * KIB);
    if (dice < 0.75) return random.pick(BORDERS);
    if (dice < 0.99) return random.between(0, 400 * KIB);
    return random.between(KIB * KIB, 8 * KIB * KIB);
  }
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += 40_000) yield body.subarray(from, from + 40_000);
}
