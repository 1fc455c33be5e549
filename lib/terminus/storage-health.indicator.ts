import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { StorageErrorCode } from '../contract/index.js';
import { StorageLogger } from '../logging/index.js';
import { StorageRegistry } from '../registry/index.js';
import { codeOf } from './check-storage.js';
import {
  checkAllNames,
  resolveHealthOptions,
  type CheckAllOptions,
  type StorageHealthOptions,
  type StorageHealthReport,
} from './storage-health-options.js';
import { StorageChecks } from './storage-checks.js';

/**
 * Says whether storages work, for `@nestjs/terminus` 11 and 12. `StorageHealthModule` provides it; so does
 * `providers: [StorageHealthIndicator]` beside `TerminusModule`.
 *
 * A result holds `status`, `mode`, `responseTime` (milliseconds) and, when the storage is down, `code` (of the StorageError): no path, no key,
 * no message of a server. Why it is down stands in the log. Checks of one storage with the same options that meet share one run.
 *
 * @example
 * @Get('health')
 * @HealthCheck()
 * health() {
 *   return this.health.check([
 *     () => this.storages.check('uploads', { timeout: 2_000 }),
 *     () => this.storages.check('archive', { mode: 'read', key: 'index.json' }),
 *   ]);
 * }
 */
@Injectable()
export class StorageHealthIndicator implements BeforeApplicationShutdown {
  readonly #logger = new StorageLogger(StorageHealthIndicator.name);
  readonly #checks = new StorageChecks();
  /** Why a storage was down when it was last checked. */
  readonly #down = new Map<string, StorageErrorCode>();

  constructor(
    @Inject(StorageRegistry) private readonly registry: StorageRegistry,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Checks the storage of a name. Resolves within the time-out, whatever the storage does.
   *
   * @throws ConfigurationError for a name that is not known, listing those that are, and for an option that cannot be meant
   */
  async check(name: string, options: StorageHealthOptions = {}): Promise<HealthIndicatorResult> {
    const resolved = resolveHealthOptions(options);
    const indicator = this.indicators.check(options.resultKey ?? name);
    const { mode, responseTime, error } = await this.#checks.run(this.registry.get(name), resolved);
    if (error === undefined) {
      if (this.#down.delete(name)) this.#logger.log('The storage is up again.', { storage: name });
      return indicator.up({ mode, responseTime } satisfies StorageHealthReport);
    }
    const code = codeOf(error);
    this.#tell(name, code, error);
    return indicator.down({ mode, responseTime, code } satisfies StorageHealthReport);
  }

  /**
   * Checks every storage that is registered, views too, at once. One that is down keeps nothing from the others.
   *
   * @throws ConfigurationError as `check()` does
   * @example
   * () => this.storages.checkAll({ timeout: 2_000, storages: { archive: { mode: 'read' } } })
   */
  async checkAll(options: CheckAllOptions = {}): Promise<HealthIndicatorResult> {
    const names = this.registry.names();
    checkAllNames(options, names);
    const { except = [], storages = {}, ...all } = options;
    const results = await Promise.all(
      names
        .filter((name) => !except.includes(name))
        .map((name) => this.check(name, { ...all, ...(Object.hasOwn(storages, name) ? storages[name] : undefined) })),
    );
    return Object.fromEntries(results.flatMap((result) => Object.entries(result)));
  }

  /** While the storages are still open, so that no canary outlives its application. */
  beforeApplicationShutdown(): Promise<void> {
    return this.#checks.end();
  }

  /** Once for each cause: a probe comes every few seconds. */
  #tell(name: string, code: StorageErrorCode, error: unknown): void {
    if (this.#down.get(name) === code) return;
    this.#down.set(name, code);
    this.#logger.warn('The storage is down.', { fields: { storage: name, code }, failure: error });
  }
}
