import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Module } from '@nestjs/common';
import { StorageModule } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { BackupController } from './backup.controller.js';
import { DocumentsController } from './documents.controller.js';
import { readSettings } from './settings.js';

@Module({
  imports: [
    StorageModule.forRoot({
      storages: {
        // A factory, so that the environment is read when the application starts and not when this file is loaded.
        inbox: {
          useFactory: () => {
            const { file } = readSettings();
            mkdirSync(dirname(file), { recursive: true });
            return new SQLiteStorage({ filename: file });
          },
        },
      },
    }),
  ],
  controllers: [DocumentsController, BackupController],
})
export class AppModule {}
