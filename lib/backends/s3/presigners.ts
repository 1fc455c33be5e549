import type * as presignedPost from '@aws-sdk/s3-presigned-post';
import type * as presigner from '@aws-sdk/s3-request-presigner';
import { load } from './sdk.js';

// Each is loaded when it is first needed: an application that gives out no URLs does without them. In a file of their own, because the
// declarations of the entry lead to that of the client: they would not compile where the presigners are not installed.

/** @throws ConfigurationError with the command that installs it */
export function loadPresigner(): Promise<typeof presigner> {
  return load('@aws-sdk/s3-request-presigner', 'signs its URLs with', () => import('@aws-sdk/s3-request-presigner'));
}

/** @throws ConfigurationError with the command that installs it */
export function loadPresignedPost(): Promise<typeof presignedPost> {
  return load(
    '@aws-sdk/s3-presigned-post',
    'signs upload URLs with a maxSize with',
    () => import('@aws-sdk/s3-presigned-post'),
  );
}
