import { type DynamicModule, Module } from '@nestjs/common';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { FilesController } from './files.controller.js';
import type { Settings } from './settings.js';
import { SharesController } from './shares.controller.js';
import { ThumbnailsController } from './thumbnails.controller.js';
import { UploadsController } from './uploads.controller.js';

@Module({
  controllers: [FilesController, UploadsController, ThumbnailsController, SharesController],
})
export class AppModule {
  static with({ root, baseUrl, secret }: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        StorageModule.forRoot({
          storages: { gallery: new FileSystemStorage({ root }) },
          // A folder signs no URLs; the module does, and serves them below /signed.
          serve: { path: 'signed', baseUrl, secrets: [secret] },
        }),
        // Two views of the one storage. Nobody who names a file can come to a thumbnail, or the other way round.
        StorageModule.forFeature([
          { name: 'files', prefix: 'files/' },
          { name: 'thumbnails', prefix: 'thumbnails/' },
        ]),
      ],
    };
  }
}
