import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { StorageHealthIndicator } from 'nestjs-storages/terminus';

/** For a load balancer, which has no key: it is told no more than which storage is down. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly storages: StorageHealthIndicator,
  ) {}

  /** 200 when both storages take a small object and give it back, else 503. */
  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.storages.check('files'), () => this.storages.check('derived')]);
  }
}
