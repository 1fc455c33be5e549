import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { ApplicationsController } from './applications.controller.js';
import { PageController } from './page.controller.js';
import { readSettings } from './settings.js';

// A factory, so that the environment is read when the application starts and not when this file is loaded.
const inFolder = (name: string) => ({
  useFactory: () => new FileSystemStorage({ root: join(readSettings().root, name) }),
});

@Module({
  imports: [
    StorageModule.forRoot({
      default: 'applications',
      storages: {
        applications: inFolder('applications'),
        documents: inFolder('documents'),
        portraits: inFolder('portraits'),
      },
    }),
  ],
  controllers: [ApplicationsController, PageController],
})
export class AppModule {}
