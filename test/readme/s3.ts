// #region s3
import { S3Storage, type S3StorageConfig } from 'nestjs-storages/s3';

export async function publish(connection: Pick<S3StorageConfig, 'bucket' | 'region' | 'endpoint' | 'credentials'>) {
  const storage = new S3Storage({ ...connection, prefix: 'reports' }); // credentials: by default the SDK's own chain
  await storage.verify(); // or says in one sentence what is wrong
  await storage.put('2026/june.csv', 'a,b\n1,2\n', { metadata: { author: 'Ada' } });

  const download = await storage.url('2026/june.csv', { expiresIn: '15m', disposition: 'attachment' });
  // what a browser may put by itself: this type, and at most 10 MB
  const upload = await storage.uploadUrl('2026/july.csv', { expiresIn: '15m', maxSize: 10_000_000 });

  await storage.sweep({ olderThan: '1d' }); // uploads that a killed process has left
  await storage.close();
  return { download, upload };
}
// #endregion
