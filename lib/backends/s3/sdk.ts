import type * as client from '@aws-sdk/client-s3';
import { ConfigurationError } from '../../contract/index.js';

export type Sdk = typeof client;

/** @throws ConfigurationError with the command that installs it */
export function loadSdk(): Promise<Sdk> {
  return load('@aws-sdk/client-s3', 'needs', () => import('@aws-sdk/client-s3'));
}

/** @throws ConfigurationError with the command that installs it */
export async function load<M>(name: string, use: string, importIt: () => Promise<M>): Promise<M> {
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
