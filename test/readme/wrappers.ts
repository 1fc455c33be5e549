// #region wrap
import { Module } from '@nestjs/common';
import { FileSystemStorage, ReadOnlyStorage, RetryingStorage, StorageModule, TimeoutStorage } from 'nestjs-storages';

@Module({
  imports: [
    StorageModule.forRoot({
      default: 'media',
      storages: {
        archive: new ReadOnlyStorage(new FileSystemStorage({ root: './var/archive' })),
        // each try has 10 seconds, all of them together begin within 60
        media: new RetryingStorage(
          new TimeoutStorage(new FileSystemStorage({ root: './var/media' }), { timeout: 10_000 }),
          { attempts: 5, deadline: 60_000 },
        ),
      },
    }),
  ],
})
export class WrappedModule {}
// #endregion wrap
