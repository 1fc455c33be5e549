import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import assert from 'node:assert/strict';
import type { Capabilities, Storage, StorageError, StorageErrorCode } from '../../contract/index.js';
import type { Check, CheckContext, ExpectedError } from './check.js';
import { expectStorageError, rejectionOf } from './expect-error.js';
import {
  DEFAULT_LIMITS,
  type ConformanceHarness,
  type ConformanceLimits,
  type CreateOptions,
  type OpenedStorage,
} from './harness.js';
import { Random } from './sources/random.js';
import { withTimeout } from './time-out.js';

/** Milliseconds that closing a storage may take at least before the suite goes on without it: a harness removes all that was stored, too. */
const CLOSING = 10_000;
const CLOSING_AFTER_FAILURE = 1000;

/** One run of the suite: the storage that checks share, and what belongs to all of them. */
export class ConformanceSession {
  readonly harness: ConformanceHarness;
  readonly limits: ConformanceLimits;
  readonly seed: number;
  #shared: Promise<OpenedStorage> | undefined;
  #checks = 0;

  constructor(harness: ConformanceHarness) {
    this.harness = harness;
    this.limits = { ...DEFAULT_LIMITS, ...harness.limits };
    this.seed = harness.seed ?? randomInt(2 ** 31);
  }

  /** Runs one check, and rejects with a message that names it. */
  async run(check: Check): Promise<void> {
    const timeout = this.limits.timeout * (check.patience ?? 1);
    let context: RunningCheck | undefined;
    try {
      context = await withTimeout(this.#begin(check), timeout, `opening a storage for the check "${check.name}"`);
      await withTimeout(check.run(context), timeout, `the check "${check.name}"`);
    } catch (error) {
      // Whatever is stuck in the storage must not stick to the next check; that it may not close is no news after a failure.
      const patience = Math.min(CLOSING_AFTER_FAILURE, this.limits.timeout);
      await Promise.allSettled([this.close(patience), context?.end(patience)]);
      throw error;
    }
    await context.end(Math.max(CLOSING, timeout));
  }

  /** Closes the shared storage. The next check opens another. */
  async close(patience = Math.max(CLOSING, this.limits.timeout)): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    await withTimeout(
      shared.then((opened) => opened.close()),
      patience,
      'closing the storage',
    );
  }

  async #begin(check: Check): Promise<RunningCheck> {
    const number = ++this.#checks;
    if (check.fresh !== undefined) {
      const opened = await this.harness.create(check.fresh === true ? undefined : check.fresh);
      return RunningCheck.begin(this, opened, '', true);
    }
    this.#shared ??= this.harness.create();
    return RunningCheck.begin(this, await this.#shared, `check-${number}/`, false);
  }
}

/** The context of one check, and what it opened. */
class RunningCheck implements CheckContext {
  readonly prefix: string;
  /** A function of its own, so that a check may take it out of the context. */
  readonly key = (name: string): string => this.prefix + name;
  readonly capabilities: Capabilities;
  readonly limits: ConformanceLimits;
  readonly random: Random;
  readonly fetch: typeof fetch;
  readonly secrets: readonly string[];
  readonly #harness: ConformanceHarness;
  readonly #owned = new Set<OpenedStorage>();
  #opened: OpenedStorage;
  #leftBefore: readonly string[] = [];

  private constructor(session: ConformanceSession, opened: OpenedStorage, prefix: string, own: boolean) {
    this.#harness = session.harness;
    this.#opened = opened;
    if (own) this.#owned.add(opened);
    this.prefix = prefix;
    this.capabilities = session.harness.capabilities;
    this.limits = session.limits;
    this.random = new Random(session.seed);
    this.fetch = session.harness.fetch ?? fetch;
    const places = [process.cwd(), tmpdir()].filter((place) => place.length > 3);
    this.secrets = [...places, ...(session.harness.secrets ?? [])];
  }

  static async begin(
    session: ConformanceSession,
    opened: OpenedStorage,
    prefix: string,
    own: boolean,
  ): Promise<RunningCheck> {
    const context = new RunningCheck(session, opened, prefix, own);
    context.#leftBefore = await context.#leftovers();
    return context;
  }

  get storage(): Storage {
    return this.#opened.storage;
  }

  async create(options?: CreateOptions): Promise<Storage> {
    const opened = await this.#harness.create(options);
    this.#owned.add(opened);
    return opened.storage;
  }

  async reopen(): Promise<Storage> {
    assert.ok(this.#harness.reopen, 'a storage that is declared persistent needs a harness with reopen()');
    assert.ok(this.#owned.delete(this.#opened), 'only a check with a fresh storage may reopen it');
    this.#opened = await this.#harness.reopen(this.#opened);
    this.#owned.add(this.#opened);
    return this.#opened.storage;
  }

  async rejects(promise: Promise<unknown>, code: StorageErrorCode, expected?: ExpectedError): Promise<StorageError> {
    return this.expectError(await rejectionOf(promise), code, expected);
  }

  expectError(error: unknown, code: StorageErrorCode, expected: ExpectedError = {}): StorageError {
    return expectStorageError(error, code, expected, this.secrets);
  }

  async expectNoLeftovers(): Promise<void> {
    const before = new Set(this.#leftBefore);
    const left = (await this.#leftovers()).filter((name) => !before.has(name));
    assert.deepEqual(left, [], 'the storage has left something behind');
  }

  async end(patience: number): Promise<void> {
    for (const opened of this.#owned) await withTimeout(opened.close(), patience, 'closing the storage');
    this.#owned.clear();
  }

  async #leftovers(): Promise<readonly string[]> {
    // an array of this realm: one that comes from node:fs itself equals no other under Jest
    return Array.from((await this.#harness.leftovers?.(this.storage)) ?? []);
  }
}
