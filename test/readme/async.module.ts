// #region register-async
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';

@Module({
  imports: [
    StorageModule.forRootAsync({
      names: ['uploads'],
      imports: [ConfigModule.forRoot()],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        storages: { uploads: new FileSystemStorage({ root: config.getOrThrow<string>('UPLOADS') }) },
      }),
    }),
  ],
})
export class AsyncAppModule {}
// #endregion
