import { Storage } from 'nestjs-storages';
import type { S3Server } from '../../../test/s3/server/s3-server.js';
import { startDirectUpload } from '../src/direct-upload-application.js';

/** The sample as its reader starts it, on a free port, with a bucket of its own. */
export interface RunningDirectUpload {
  readonly url: string;
  readonly storage: Storage;
  /** All that lies in the bucket. */
  keys(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function runDirectUpload(server: S3Server): Promise<RunningDirectUpload> {
  const { endpoint, region, credentials } = server.connection;
  const bucket = await server.makeBucket();
  Object.assign(process.env, {
    S3_ENDPOINT: endpoint,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    S3_BUCKET: bucket,
    PORT: '0',
  });
  const { app, url } = await startDirectUpload();
  return {
    url,
    storage: app.get(Storage, { strict: false }),
    keys: () => server.keys(bucket),
    async stop() {
      await app.close();
      await server.removeBucket(bucket);
    },
  };
}
