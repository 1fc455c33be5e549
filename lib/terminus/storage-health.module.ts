import { Module } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { StorageHealthIndicator } from './storage-health.indicator.js';

/**
 * Provides {@link StorageHealthIndicator}, once for all modules that import it. `StorageModule` must be in the application; `TerminusModule` gives
 * the `HealthCheckService` that asks it.
 *
 * @example
 * @Module({ imports: [TerminusModule, StorageHealthModule], controllers: [HealthController] })
 * export class HealthModule {}
 */
@Module({
  // terminus's own depends on nothing: whichever way the application has set TerminusModule up, this needs none of it
  providers: [HealthIndicatorService, StorageHealthIndicator],
  exports: [StorageHealthIndicator],
})
export class StorageHealthModule {}
