import { Controller, Get, Inject, Module, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { StorageModule, type FeatureStorage, type Storage } from 'nestjs-storages';
import { StorageHealthIndicator, StorageHealthModule, type CheckAllOptions } from 'nestjs-storages/terminus';

export interface HealthApplication {
  readonly app: INestApplication;
  readonly health: StorageHealthIndicator;
}

/** An application that has these storages, and views of them, and asks for their health at `/health`. */
export async function startHealth(
  storages: Readonly<Record<string, Storage>>,
  { views = [], checkAll = {} }: { views?: readonly FeatureStorage[]; checkAll?: CheckAllOptions } = {},
): Promise<HealthApplication> {
  @Controller('health')
  class HealthController {
    constructor(
      @Inject(HealthCheckService) private readonly health: HealthCheckService,
      @Inject(StorageHealthIndicator) private readonly storages: StorageHealthIndicator,
    ) {}

    @Get()
    @HealthCheck()
    check(): Promise<HealthCheckResult> {
      return this.health.check([() => this.storages.checkAll(checkAll)]);
    }
  }

  @Module({
    imports: [
      StorageModule.forRoot({ storages }),
      StorageModule.forFeature(views),
      TerminusModule.forRoot({ logger: false }),
      StorageHealthModule,
    ],
    controllers: [HealthController],
  })
  class HealthApplicationModule {}

  const testing = await Test.createTestingModule({ imports: [HealthApplicationModule] }).compile();
  const app = testing.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, health: app.get(StorageHealthIndicator) };
}

export async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list()) keys.push(key);
  return keys;
}
