// #region health
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { StorageHealthIndicator, StorageHealthModule } from 'nestjs-storages/terminus';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly storages: StorageHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([
      () => this.storages.check('uploads'), // stores, reads and deletes a canary
      () => this.storages.check('archive', { mode: 'read', key: 'index.json', timeout: 2_000 }),
    ]);
  }
}

@Module({ imports: [TerminusModule, StorageHealthModule], controllers: [HealthController] })
export class HealthModule {}
// #endregion
