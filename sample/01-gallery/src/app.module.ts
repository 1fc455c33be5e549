import { Module } from '@nestjs/common';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { GalleryController } from './gallery.controller.js';
import { readSettings } from './settings.js';

@Module({
  imports: [
    StorageModule.forRoot({
      storages: {
        // A factory, so that the environment is read when the application starts and not when this file is loaded.
        uploads: { useFactory: () => new FileSystemStorage({ root: readSettings().root }) },
      },
    }),
  ],
  controllers: [GalleryController],
})
export class AppModule {}
