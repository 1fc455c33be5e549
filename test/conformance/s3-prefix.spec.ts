import { S3Client } from '@aws-sdk/client-s3';
import { conformanceOnS3 } from '../s3/conformance-on-s3.js';
import { SMALLER_LIMITS } from './smaller-limits.js';

await conformanceOnS3(
  'S3Storage, under a prefix, by a client that sends checksums where it must',
  (connection) => ({
    client: new S3Client({
      ...connection,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    prefix: 'p',
  }),
  SMALLER_LIMITS,
);
