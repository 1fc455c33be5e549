import { Module } from '@nestjs/common';
import { StorageModule } from 'nestjs-storages';
import { S3Storage } from 'nestjs-storages/s3';
import { BucketSetup } from './bucket.js';
import { FilesController } from './files.controller.js';
import { readSettings } from './settings.js';
import { UploadsController } from './uploads.controller.js';

@Module({
  imports: [
    StorageModule.forRoot({
      storages: {
        files: {
          useFactory: async () => {
            const { endpoint, region, bucket, forcePathStyle, credentials } = readSettings();
            const setup = new BucketSetup();
            await setup.make();
            setup.close();
            return new S3Storage({ endpoint, region, bucket, forcePathStyle, credentials });
          },
        },
      },
    }),
  ],
  controllers: [FilesController, UploadsController],
})
export class AppModule {}
