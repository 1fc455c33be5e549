import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { DocumentsModule } from './documents/documents.module.js';
import { HomeController } from './docs/home.controller.js';
import { HealthModule } from './health/health.module.js';
import { ReportsModule } from './reports/reports.module.js';
import { SettingsModule } from './settings/settings.module.js';
import { Settings } from './settings/settings.js';
import { TenancyModule } from './tenancy/tenancy.module.js';
import { TracingModule } from './tracing/tracing.module.js';

@Module({})
export class AppModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SettingsModule.with(settings),
        ...(settings.tracing === 'console' ? [TracingModule.toConsole()] : []),
        TenancyModule,
        StorageModule.forRootAsync({
          names: ['files', 'derived'],
          default: false,
          serve: { path: 'shared' },
          inject: [Settings],
          useFactory: ({ root, publicUrl, urlSecret }: Settings) => ({
            storages: {
              // strict: a key that climbs is refused, and never made into another one
              files: new FileSystemStorage({ root: join(root, 'files'), keys: 'strict' }),
              derived: new SQLiteStorage({ filename: join(root, 'derived.db'), keys: 'strict' }),
            },
            // a folder signs no URLs; the module does, and serves them below /shared. Reports have none.
            serve: { baseUrl: publicUrl, secrets: [urlSecret], storages: ['files'] },
          }),
        }),
        DocumentsModule,
        ReportsModule,
        HealthModule,
      ],
      controllers: [HomeController],
    };
  }
}
