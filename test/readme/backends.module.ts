// #region choose
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { FileSystemStorage, StorageModule, type Storage } from 'nestjs-storages';
import { S3Storage } from 'nestjs-storages/s3'; // npm install @aws-sdk/client-s3
import { SQLiteStorage } from 'nestjs-storages/sqlite'; // npm install better-sqlite3

function chosenBy(config: ConfigService): Storage {
  const uploads = config.getOrThrow<string>('UPLOADS');
  switch (config.get<string>('STORAGE')) {
    case 's3': // credentials by the SDK's own chain; a server that is not Amazon's has an endpoint
      return new S3Storage({
        bucket: uploads,
        region: config.getOrThrow<string>('AWS_REGION'),
        endpoint: config.get<string>('S3_ENDPOINT'),
      });
    case 'sqlite': // the folder of the file has to be there
      return new SQLiteStorage({ filename: uploads });
    default:
      return new FileSystemStorage({ root: uploads });
  }
}

@Module({
  imports: [
    StorageModule.forRootAsync({
      names: ['uploads'],
      imports: [ConfigModule.forRoot()],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({ storages: { uploads: chosenBy(config) } }),
    }),
  ],
})
export class BackendsModule {}
// #endregion
