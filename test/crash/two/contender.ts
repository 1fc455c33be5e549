import { Readable } from 'node:stream';
import { compareKeys, type BaseStorage, type StagedFile, type StoredFile } from '../../../lib/contract/index.js';
import type { FaultKind } from '../judge/faults.js';
import type { Changes } from '../judge/history.js';
import type { CrashStore } from '../stores/index.js';
import type { Random } from '../workload/random.js';
import { bodyOf, identify, optionsOf, versionName } from '../workload/version.js';
import { ALWAYS_THERE, COUNTERS, MUTEX, ownKeys, SHARED, type Slot } from './keys.js';

/** What a condition may be refused with, and what is not there any more. */
const REFUSALS: ReadonlySet<string> = new Set(['FILE_EXISTS', 'PRECONDITION_FAILED', 'FILE_NOT_FOUND']);
/** How many staged objects a process holds, while its neighbour dies and comes back and sweeps. */
const STAGED = 6;
/** Cleaning up reads everything each time. */
const MAINTAINING_EVERY_MS = 100;

type Say = (word: string, ...details: readonly unknown[]) => void;

/** A clock that all processes of a machine share, in nanoseconds. */
function now(): number {
  return Number(process.hrtime.bigint());
}

/** Works on the keys that a neighbour works on too, in lanes beside each other, until it is told to stop. */
export class Contender {
  readonly #store: CrashStore;
  readonly #storage: BaseStorage;
  readonly #slot: Slot;
  readonly #random: Random;
  readonly #say: Say;
  readonly #unique: string;
  readonly #etags = new Map<string, string>();
  #steps = 0;
  #stopped = false;

  constructor(store: CrashStore, storage: BaseStorage, slot: Slot, random: Random, say: Say) {
    this.#store = store;
    this.#storage = storage;
    this.#slot = slot;
    this.#random = random;
    this.#say = say;
    this.#unique = `${slot}.${random.seed().toString(36)}`;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    for (const key of ALWAYS_THERE) await this.#put(key, this.#newVersion(), { ifNoneMatch: '*' });
    for (const key of COUNTERS) await this.#put(key, this.#counted(0), { ifNoneMatch: '*' });
    await this.#unlockAfterDeath();
    this.#say('working');
    await Promise.all([
      ...ownKeys(this.#slot).map((own) => this.#writing(own)),
      this.#overwriting(),
      ...[...COUNTERS, ...COUNTERS].map((key) => this.#counting(key)),
      this.#locking(),
      this.#reading(),
      this.#listing(),
      this.#staging(),
      this.#maintaining(),
    ]);
  }

  async #writing(own: string): Promise<void> {
    let version = await this.#read(own);
    while (!this.#stopped) {
      const key = this.#random.pick(SHARED);
      const dice = this.#random.between(0, 100);
      if (dice < 45) await this.#put(key, this.#newVersion());
      else if (dice < 55) await this.#put(key, this.#newVersion(), { ifNoneMatch: '*' });
      else if (dice < 75) await this.#step({ [key]: null }, () => this.#storage.delete(key, { force: true }));
      else if (version === undefined) {
        version = this.#newVersion();
        await this.#put(own, version);
      } else if (dice < 90) {
        await this.#step({ [key]: version }, () => this.#storage.copy(own, key));
      } else {
        await this.#step({ [own]: null, [key]: version }, () => this.#storage.move(own, key));
        version = undefined;
      }
    }
  }

  async #overwriting(): Promise<void> {
    while (!this.#stopped) await this.#put(this.#random.pick(ALWAYS_THERE), this.#newVersion());
  }

  /** Compares and swaps: each value is won by one, and the next is one more. */
  async #counting(key: string): Promise<void> {
    let last = 0;
    while (!this.#stopped) {
      const found = await this.#find(key);
      if (found === undefined) {
        this.#fault('lost', `${key} is gone`);
        return;
      }
      const count = countOf(found.version);
      if (count < last) this.#fault('stale', `${key} is ${count} after ${last}`);
      last = count;
      const won = await this.#put(key, this.#counted(count + 1), { ifMatch: found.file.etag });
      if (won) this.#say('won', key, count + 1);
    }
  }

  /** A lock: whoever creates the object has it, until it deletes it. */
  async #locking(): Promise<void> {
    while (!this.#stopped) {
      let file: StoredFile | undefined;
      const version = this.#newVersion();
      const has = await this.#step({ [MUTEX]: version }, async () => {
        file = await this.#storage.put(MUTEX, bodyOf(version), { ...optionsOf(version), ifNoneMatch: '*' });
      });
      if (!has || file === undefined) continue;
      const from = now();
      await this.#find(MUTEX);
      this.#say('held', this.#unique, from, now());
      const { etag } = file;
      const left = await this.#step({ [MUTEX]: null }, () => this.#storage.delete(MUTEX, { ifMatch: etag }));
      if (!left) this.#fault('twice', 'a lock was taken from the one that had it');
    }
  }

  /** The lock of the process that was here before, and was killed with it. */
  async #unlockAfterDeath(): Promise<void> {
    const found = await this.#find(MUTEX);
    if (found?.version.startsWith(`a${this.#slot}.`) !== true && found?.version.startsWith(`p${this.#slot}.`) !== true)
      return;
    const { etag } = found.file;
    await this.#step({ [MUTEX]: null }, () => this.#storage.delete(MUTEX, { ifMatch: etag }));
  }

  async #reading(): Promise<void> {
    while (!this.#stopped) {
      for (const key of [this.#random.pick(SHARED), this.#random.pick(ALWAYS_THERE)]) {
        const from = now();
        const found = await this.#find(key);
        this.#say('read', key, found?.version ?? null, from, now());
      }
    }
  }

  async #listing(): Promise<void> {
    while (!this.#stopped) {
      const keys: string[] = [];
      const isWhole = await this.#tried('listing', async () => {
        for await (const { key } of this.#storage.list()) keys.push(key);
        return true;
      });
      if (isWhole === undefined) continue;
      if (keys.some((key, i) => i > 0 && compareKeys(keys[i - 1] ?? '', key) >= 0))
        this.#fault('unlisted', `not in order, or not once each: ${keys.join(' ')}`);
      for (const key of [...ALWAYS_THERE, ...COUNTERS]) {
        if (!keys.includes(key)) this.#fault('unlisted', `${key} is not in ${keys.join(' ')}`);
      }
    }
  }

  /** The oldest of several is committed or given up, whoever has died and swept meanwhile. */
  async #staging(): Promise<void> {
    const staged: { key: string; version: string; file: StagedFile }[] = [];
    while (!this.#stopped) {
      const key = this.#random.pick([...SHARED, ...ALWAYS_THERE]);
      const version = this.#newVersion();
      const file = await this.#tried('staging', () => this.#storage.stage(key, sourceOf(version), optionsOf(version)));
      if (file !== undefined) staged.push({ key, version, file });
      const oldest = staged.length < STAGED ? undefined : staged.shift();
      if (oldest === undefined) continue;
      if (this.#random.next() < 0.2) await this.#tried('giving up', () => oldest.file.abort());
      else await this.#step({ [oldest.key]: oldest.version }, () => oldest.file.commit());
    }
    for (const { file } of staged) await file.abort();
  }

  async #maintaining(): Promise<void> {
    while (!this.#stopped) {
      const found = await this.#tried('maintaining', async () => this.#store.maintain?.(this.#storage));
      for (const wrong of found ?? []) this.#fault('failed', wrong);
      await new Promise((resolve) => setTimeout(resolve, MAINTAINING_EVERY_MS));
    }
  }

  #put(key: string, version: string, conditions: { ifMatch?: string; ifNoneMatch?: '*' } = {}): Promise<boolean> {
    const data = this.#random.next() < 0.5 ? bodyOf(version) : sourceOf(version);
    return this.#step({ [key]: version }, () => this.#storage.put(key, data, { ...optionsOf(version), ...conditions }));
  }

  /** @returns whether it was done; not when a condition did not hold */
  async #step(changes: Changes, work: () => Promise<unknown>): Promise<boolean> {
    const id = `${this.#unique}.${this.#steps++}`;
    this.#say('begin', id, changes, now());
    try {
      await work();
    } catch (error) {
      if (REFUSALS.has(codeOf(error))) this.#say('refused', id);
      else this.#say('failed', id, `${JSON.stringify(changes)}: ${describe(error)}`, codeOf(error), now());
      return false;
    }
    this.#say('done', id, now());
    return true;
  }

  /** What never fails beside others. */
  async #tried<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#fault('failed', `${what}: ${describe(error)}`);
      return undefined;
    }
  }

  async #read(key: string): Promise<string | undefined> {
    return (await this.#find(key))?.version;
  }

  /** The version that is there, which must be a whole one. */
  async #find(key: string): Promise<{ readonly version: string; readonly file: StoredFile } | undefined> {
    try {
      const stream = await this.#storage.get(key);
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      const found = identify(stream.file, Buffer.concat(chunks));
      if (found.fault !== undefined) {
        this.#fault(found.fault, `${key}: ${found.why}`);
        return undefined;
      }
      this.#compareEtag(key, stream.file.etag, found.version);
      return { version: found.version, file: stream.file };
    } catch (error) {
      if (!REFUSALS.has(codeOf(error))) this.#fault('failed', `${key} cannot be read: ${describe(error)}`);
      return undefined;
    }
  }

  /** One etag, one version. */
  #compareEtag(key: string, etag: string, version: string): void {
    const name = `${key} ${etag}`;
    const known = this.#etags.get(name);
    if (known !== undefined && known !== version) this.#fault('twice', `${key}: one etag for ${known} and ${version}`);
    this.#etags.set(name, version);
  }

  #fault(kind: FaultKind, what: string): void {
    this.#say('fault', kind, what);
  }

  #newVersion(): string {
    const dice = this.#random.next();
    const size = dice < 0.8 ? this.#random.between(64, 4096) : this.#random.between(0, 700_000);
    return versionName(`${this.#unique}.${this.#steps++}`, size, this.#random.next() < 0.4);
  }

  #counted(count: number): string {
    return versionName(`n${count}.${this.#unique}.${this.#steps++}`, 100, count % 2 === 0);
  }
}

/** What a counter's version says. */
export function countOf(version: string): number {
  return Number(/^[ap]n(\d+)\./.exec(version)?.[1]);
}

function sourceOf(version: string): Readable {
  return Readable.from([bodyOf(version)], { objectMode: false });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'none';
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${String(error)}${cause}`;
}
