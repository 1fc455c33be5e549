import { ConfigurationError, type Duration } from '../../contract/index.js';
import { resolveOlderThan } from '../../contract/options/older-than.js';
import { abortUpload, openUploads } from './abort-uploads.js';
import type { Bucket } from './bucket.js';

export interface SweepOptions {
  /** Uploads that were begun longer ago are given up. Longer than the longest upload takes: those of other processes count too. */
  readonly olderThan: Duration;
}

export interface SweepReport {
  /** Uploads that were given up: of killed processes, and of requests whose answer was lost. */
  readonly aborted: number;
}

/** Gives up uploads under the prefix that nobody goes on with. */
export async function sweepUploads(bucket: Bucket, options: SweepOptions): Promise<SweepReport> {
  const age = resolveOlderThan(options);
  const { prefix } = bucket.settings;
  let aborted = 0;
  for await (const { Key, UploadId, Initiated } of openUploads(bucket, prefix)) {
    if (Key === undefined || UploadId === undefined || bucket.openUploads.has(UploadId)) continue;
    if (!Key.startsWith(prefix))
      throw new ConfigurationError('The server lists uploads outside the prefix it was asked for.');
    // by the clock that is behind: an upload that is under way must not look old
    if (Initiated === undefined || Initiated.getTime() > Math.min(bucket.now(), Date.now()) - age) continue;
    await abortUpload(bucket, Key.slice(prefix.length), UploadId, true);
    aborted++;
  }
  return { aborted };
}
