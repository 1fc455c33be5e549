import type * as client from '@aws-sdk/client-s3';
import type * as presignedPost from '@aws-sdk/s3-presigned-post';
import type * as presigner from '@aws-sdk/s3-request-presigner';
import { ConfigurationError } from '../../contract/index.js';

export type Sdk = typeof client;
export type Presigner = typeof presigner;
export type PresignedPost = typeof presignedPost;

// Each is loaded when it is first needed: an application that gives out no URLs does without the presigners.

/** @throws ConfigurationError with the command that installs it */
export function loadSdk(): Promise<Sdk> {
  return load('@aws-sdk/client-s3', 'needs', () => import('@aws-sdk/client-s3'));
}

/** @throws ConfigurationError with the command that installs it */
export function loadPresigner(): Promise<Presigner> {
  return load('@aws-sdk/s3-request-presigner', 'signs its URLs with', () => import('@aws-sdk/s3-request-presigner'));
}

/** @throws ConfigurationError with the command that installs it */
export function loadPresignedPost(): Promise<PresignedPost> {
  return load(
    '@aws-sdk/s3-presigned-post',
    'signs upload URLs with a maxSize with',
    () => import('@aws-sdk/s3-presigned-post'),
  );
}

async function load<M>(name: string, use: string, importIt: () => Promise<M>): Promise<M> {
  try {
    return await importIt();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigurationError(`S3Storage ${use} the package ${name}: npm install ${name}`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  // Node's code for import, and that of Jest
  return error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
}
