// #region register
import { Module } from '@nestjs/common';
import { FileSystemStorage, MemoryStorage, StorageModule } from 'nestjs-storages';
import { AvatarsModule } from './avatars.module.js';

@Module({
  imports: [
    StorageModule.forRoot({
      default: 'uploads',
      storages: {
        uploads: new FileSystemStorage({ root: process.env['UPLOADS'] ?? './var/uploads' }),
        drafts: new MemoryStorage({ maxBytes: 64 * 1024 * 1024 }),
      },
    }),
    AvatarsModule,
  ],
})
export class AppModule {}
// #endregion
