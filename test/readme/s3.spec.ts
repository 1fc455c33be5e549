import { expect, it } from '@jest/globals';
import { s3Server } from '../s3/server/s3-server.js';
import { publish } from './s3.js';

const server = await s3Server("The README's example of S3");

it('keeps a file in a bucket, and gives out URLs to read and to put', async () => {
  if (server === undefined) return;
  const bucket = await server.makeBucket();
  const { download, upload } = await publish({ ...server.connection, bucket });
  expect(await (await fetch(download)).text()).toBe('a,b\n1,2\n');
  expect(upload).toMatchObject({
    method: 'POST',
    fields: { key: 'reports/2026/july.csv', 'Content-Type': 'text/csv' },
  });
  await server.removeBucket(bucket);
});
