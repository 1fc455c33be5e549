import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { INCOMING } from './file-keys.js';
import { readSettings, type Settings } from './settings.js';

/** What the library leaves to whoever owns the bucket: that there is one, and what its rules are. */
export class BucketSetup {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ endpoint, region, forcePathStyle, credentials, bucket }: Settings = readSettings()) {
    this.#client = new S3Client({ endpoint, region, forcePathStyle, ...(credentials && { credentials }) });
    this.#bucket = bucket;
  }

  /** Makes the bucket where there is none. What nobody has confirmed goes after a day, and so do uploads in parts that a killed process has left. */
  async make(): Promise<void> {
    const Bucket = this.#bucket;
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket }));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await this.#client.send(new CreateBucketCommand({ Bucket }));
    }
    const Rules = [
      { ID: 'unconfirmed', Status: 'Enabled', Filter: { Prefix: INCOMING }, Expiration: { Days: 1 } },
      {
        ID: 'parts',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ] as const;
    const LifecycleConfiguration = { Rules: [...Rules] };
    await this.#client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
  }

  /** Lets pages of these origins put into the bucket. A browser asks the bucket for that before it sends a byte. */
  async allow(origins: readonly string[]): Promise<void> {
    const rule = {
      AllowedOrigins: [...origins],
      AllowedMethods: ['PUT'],
      // what `uploadUrl` has signed, and the browser therefore has to send
      AllowedHeaders: ['content-type'],
      MaxAgeSeconds: 3600,
    };
    await this.#client.send(
      new PutBucketCorsCommand({ Bucket: this.#bucket, CORSConfiguration: { CORSRules: [rule] } }),
    );
  }

  close(): void {
    this.#client.destroy();
  }
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
