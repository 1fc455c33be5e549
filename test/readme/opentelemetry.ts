// #region module
import { Module } from '@nestjs/common';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { StorageOpenTelemetryModule } from 'nestjs-storages/opentelemetry';

@Module({
  imports: [
    StorageModule.forRoot({ storages: { avatars: new MemoryStorage() } }),
    StorageOpenTelemetryModule.forRoot({ spans: true, metrics: true, keys: false, reads: false }), // the defaults
  ],
})
export class AppModule {}
// #endregion module
