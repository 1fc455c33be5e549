// #region serve
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { Albums } from './albums.js';
import { LinksController } from './links.controller.js';

@Module({
  imports: [
    StorageModule.forRootAsync({
      names: ['photos'],
      serve: { path: 'files', onUploaded: Albums }, // where the routes lie is known before the factory runs
      imports: [ConfigModule.forRoot()],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        storages: { photos: new FileSystemStorage({ root: config.getOrThrow<string>('PHOTOS') }) },
        serve: {
          baseUrl: config.getOrThrow<string>('PUBLIC_URL'), // https://api.example.com
          secrets: [config.getOrThrow<string>('URL_SECRET')], // 32 bytes or more
        },
      }),
    }),
  ],
  controllers: [LinksController],
  providers: [Albums],
})
export class LinksModule {}
// #endregion
