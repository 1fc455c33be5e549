// #region shutdown
import { Module } from '@nestjs/common';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';

@Module({
  imports: [
    StorageModule.forRoot({
      storages: { uploads: new FileSystemStorage({ root: './var/uploads' }) },
      shutdown: {
        timeout: 10_000, // milliseconds that uploads, downloads and listeners may take to finish
        retryAfter: 5, // seconds that a client of a new upload is told to wait
      },
    }),
  ],
})
export class AppModule {}
// #endregion
