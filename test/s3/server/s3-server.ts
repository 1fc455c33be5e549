import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Conditions, S3StorageConfig } from 'nestjs-storages/s3';

const START_CEPH = fileURLToPath(new URL('start-ceph.sh', import.meta.url));

export type Connection = Required<Pick<S3StorageConfig, 'endpoint' | 'region' | 'forcePathStyle'>> & {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

/** A real server, and a client to look behind the storage. */
export class S3Server {
  readonly connection: Connection;
  readonly client: S3Client;

  constructor(connection: Connection, requestHandler: { readonly httpAgent?: { readonly keepAlive: boolean } } = {}) {
    this.connection = connection;
    this.client = new S3Client({
      ...connection,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      maxAttempts: 3,
      requestHandler,
    });
    // without it Swift deletes nothing by DeleteObjects
    this.client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          const { headers, body } = args.request as { readonly headers: Record<string, string>; readonly body: string };
          if (commandName === 'DeleteObjectsCommand') {
            headers['content-md5'] = createHash('md5').update(body).digest('base64');
          }
          return next(args);
        },
      { step: 'build', name: 'contentMd5' },
    );
  }

  async makeBucket(): Promise<string> {
    const Bucket = `test-${randomUUID()}`;
    await this.client.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  /** What a listing shows first. */
  async keys(Bucket: string): Promise<string[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key = '' }) => Key);
  }

  /** Uploads that are neither completed nor aborted. */
  async openUploads(Bucket: string, Prefix?: string): Promise<string[]> {
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
    return Uploads.map(({ Key, UploadId }) => `${Key ?? ''} ${UploadId ?? ''}`);
  }

  /** An object under a name that no storage would give it. */
  async put(Bucket: string, Key: string): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from('x') }));
  }

  async tags(Bucket: string, Key: string): Promise<Record<string, string>> {
    const { TagSet = [] } = await this.client.send(new GetObjectTaggingCommand({ Bucket, Key }));
    return Object.fromEntries(TagSet.map((tag) => [tag.Key ?? '', tag.Value ?? '']));
  }

  /** Removes a bucket with all that is in it. */
  async removeBucket(Bucket: string): Promise<void> {
    for (;;) {
      const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket }));
      if (Contents.length === 0) break;
      const Objects = Contents.map(({ Key }) => ({ Key }));
      await this.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    }
    await this.client.send(new DeleteBucketCommand({ Bucket }));
  }
}

export interface ServerKind {
  /** What it decides, to compare with what the probe finds out. */
  readonly conditions: S3Conditions;
  /** What has to be set by hand. */
  readonly settings: Pick<S3StorageConfig, 'postPolicies' | 'timeouts'>;
}

/** The servers that were tried. S3_SERVER names that of S3_ENDPOINT. */
const KINDS: Readonly<Record<string, ServerKind>> = {
  'ceph-16': { conditions: { createOnly: true, multipart: false, compareAndSwap: false }, settings: {} },
  'ceph-20': { conditions: { createOnly: true, multipart: true, compareAndSwap: false }, settings: {} },
  'swift-2.30': {
    conditions: { createOnly: false, multipart: false, compareAndSwap: false },
    // it deletes 1,000 objects in more than half a minute, and says nothing meanwhile
    settings: { postPolicies: false, timeouts: { idle: 120_000 } },
  },
};

export function kindOfServer(): ServerKind {
  const kind = KINDS[process.env['S3_SERVER'] ?? 'ceph-16'];
  if (kind === undefined) throw new Error(`S3_SERVER must be one of ${Object.keys(KINDS).join(', ')}.`);
  return kind;
}

let server: Promise<S3Server | undefined> | undefined;

/**
 * The server of this run: that of S3_ENDPOINT, else a Ceph that the first who asks starts, and that is stopped after the run
 * (`.config/jest.s3-stop.js`). Where none can be started, one line says what is not run; under CI that is a failure.
 */
export function s3Server(about: string): Promise<S3Server | undefined> {
  return (server ??= connect(about));
}

async function connect(about: string): Promise<S3Server | undefined> {
  const { env } = process;
  if (env['S3_ENDPOINT'] !== undefined) return new S3Server(connectionOf(env));
  try {
    const { stdout } = await promisify(execFile)(START_CEPH, ['start'], {
      env: { ...env, S3_DIR: env['NESTJS_STORAGES_CEPH_DIR'], S3_PORT: env['NESTJS_STORAGES_CEPH_PORT'] },
    });
    return new S3Server(connectionOf(variablesOf(stdout)));
  } catch (error) {
    if (env['CI'] === 'true') throw error;
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    process.stderr.write(`${about} was not run: no S3_ENDPOINT, and Ceph does not start here (${reason ?? ''})\n`);
    return undefined;
  }
}

/** `NAME=value` in each line. */
function variablesOf(text: string): Record<string, string> {
  return Object.fromEntries(Array.from(text.matchAll(/^(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]));
}

function connectionOf(env: Readonly<Record<string, string | undefined>>): Connection {
  return {
    endpoint: env['S3_ENDPOINT'] ?? '',
    region: env['S3_REGION'] ?? 'us-east-1',
    forcePathStyle: env['S3_FORCE_PATH_STYLE'] !== 'false',
    credentials: {
      accessKeyId: env['S3_ACCESS_KEY_ID'] ?? env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['S3_SECRET_ACCESS_KEY'] ?? env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
}
