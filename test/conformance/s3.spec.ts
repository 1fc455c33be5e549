import { S3Client } from '@aws-sdk/client-s3';
import { conformanceOnS3 } from '../s3/conformance-on-s3.js';

await conformanceOnS3('S3Storage, by a client that sends checksums where it can', (connection) => ({
  client: new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_SUPPORTED' }),
}));
