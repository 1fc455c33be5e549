import type { ObjectCannedACL, S3Client, S3ClientConfig, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3';
import { ConfigurationError, sanitizeKey, type Duration, type KeyMode } from '../../contract/index.js';
import { ConfigFields } from './config-fields.js';

/** Which conditional writes the server decides by itself, in one step. What it would ignore must be false here. */
export interface S3Conditions {
  /** PutObject takes `If-None-Match: *`, and of several at once one wins. */
  readonly createOnly: boolean;
  /** CompleteMultipartUpload takes the conditions of PutObject too. Else a condition holds for objects of one part only. */
  readonly multipart: boolean;
  /** PutObject and DeleteObject take `If-Match`. */
  readonly compareAndSwap: boolean;
}

/** Milliseconds. */
export interface S3Timeouts {
  /** Until the connection stands. Default 5,000. Not with a `client` of your own. */
  readonly connect?: number | undefined;
  /** During which nothing at all passes. Default 30,000. */
  readonly idle?: number | undefined;
  /** Of one request with its repetitions, downloads excepted. Default 300,000. */
  readonly request?: number | undefined;
}

export interface S3StorageConfig {
  readonly bucket: string;
  /** Where in the bucket the storage lies: `a` means `a/`, so that `a` and `ab` do not see each other. Default: the whole bucket. */
  readonly prefix?: string | undefined;
  /** A client of your own. It stays yours: `close()` does not destroy it. Excludes the four settings below. */
  readonly client?: S3Client | undefined;
  readonly region?: string | undefined;
  /** Of a server that is not Amazon's, with its scheme. */
  readonly endpoint?: string | undefined;
  /** Default: the SDK's own chain (environment, files, roles). */
  readonly credentials?: S3ClientConfig['credentials'];
  /** Path-style addresses, which most servers but Amazon's need. Default true with an `endpoint`. */
  readonly forcePathStyle?: boolean | undefined;
  /** Bytes of a part of a larger upload, 5 MiB to 5 GiB; smaller objects are one request. Default 8 MiB. It grows where 10,000 parts would not do. */
  readonly partSize?: number | undefined;
  /** Parts of one upload in flight at once. Default 4. */
  readonly concurrency?: number | undefined;
  /** Bytes that all uploads of this storage hold in memory together; more wait. At least two parts. Default 256 MiB. */
  readonly maxBufferedBytes?: number | undefined;
  /** How often a request is tried, by the SDK. Default 4. Not with a `client` of your own. */
  readonly maxAttempts?: number | undefined;
  readonly timeouts?: S3Timeouts | undefined;
  /** Which conditions the server knows. Default: all on Amazon's; elsewhere `probe`, which finds out when the storage is opened, by a few small objects under the prefix. */
  readonly conditions?: 'probe' | S3Conditions | undefined;
  /** What the server checks the bytes it gets by: `crc32` (default on Amazon's), `md5` (default elsewhere, since every server checks it), or `none`. */
  readonly integrity?: 'crc32' | 'md5' | 'none' | undefined;
  /** Where the bucket, or this prefix of it, is public, by a CDN for example: `url(key)` without options gives this and the key. */
  readonly baseUrl?: string | undefined;
  /** How long `url(key)` works without `expiresIn` and `baseUrl`. Default 1 hour. */
  readonly urlExpiresIn?: Duration | undefined;
  /** Whether the server takes POST policies (Swift does not), which `uploadUrl` with `maxSize` needs. Default true. */
  readonly postPolicies?: boolean | undefined;
  readonly serverSideEncryption?: ServerSideEncryption | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly bucketKeyEnabled?: boolean | undefined;
  readonly storageClass?: StorageClass | undefined;
  /** Tags of every object that is put. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Default: none, as buckets without access lists demand. */
  readonly acl?: ObjectCannedACL | undefined;
  /** The account that must own the bucket; requests to one of another's are refused. */
  readonly expectedBucketOwner?: string | undefined;
  /** `sanitize` (default) makes a key canonical, `strict` refuses one that is not. */
  readonly keys?: KeyMode | undefined;
  /** Names the storage in errors until a module registers it. Default `s3`. */
  readonly name?: string | undefined;
}

/** What goes into every request that makes an object. */
export interface ObjectSettings {
  readonly ServerSideEncryption?: ServerSideEncryption;
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
  readonly StorageClass?: StorageClass;
  readonly Tagging?: string;
  readonly ACL?: ObjectCannedACL;
}

/** The configuration with its defaults. */
export interface S3Settings {
  readonly bucket: string;
  /** Empty, or with a `/` at its end. */
  readonly prefix: string;
  readonly client: S3Client | undefined;
  readonly clientConfig: S3ClientConfig;
  readonly partSize: number;
  readonly concurrency: number;
  readonly maxBufferedBytes: number;
  readonly timeouts: Required<{ readonly [Name in keyof S3Timeouts]: number }>;
  readonly conditions: 'probe' | S3Conditions | undefined;
  readonly integrity: 'crc32' | 'md5' | 'none' | undefined;
  readonly baseUrl: string | undefined;
  readonly urlExpiresIn: number;
  readonly postPolicies: boolean;
  readonly object: ObjectSettings;
  readonly expectedBucketOwner: string | undefined;
  readonly keys: KeyMode | undefined;
  readonly name: string;
}

const FIELDS = {
  bucket: true,
  prefix: true,
  client: true,
  region: true,
  endpoint: true,
  credentials: true,
  forcePathStyle: true,
  partSize: true,
  concurrency: true,
  maxBufferedBytes: true,
  maxAttempts: true,
  timeouts: true,
  conditions: true,
  integrity: true,
  baseUrl: true,
  urlExpiresIn: true,
  postPolicies: true,
  serverSideEncryption: true,
  kmsKeyId: true,
  bucketKeyEnabled: true,
  storageClass: true,
  tags: true,
  acl: true,
  expectedBucketOwner: true,
  keys: true,
  name: true,
} as const satisfies Record<keyof S3StorageConfig, true>;

const OF_THE_CLIENT = ['region', 'endpoint', 'credentials', 'forcePathStyle', 'maxAttempts'] as const;

const MIB = 1024 * 1024;
/** S3's own limits of a part. */
export const MIN_PART = 5 * MIB;
export const MAX_PART = 5 * 1024 * MIB;
const DAY = 86_400;

/** @throws ConfigurationError that names the field */
export function checkS3StorageConfig(config: S3StorageConfig): S3Settings {
  const fields = new ConfigFields('S3Storage', config, FIELDS);
  const bucket = fields.text('bucket');
  if (bucket === undefined || /[/\s]/.test(bucket)) throw fields.wrong('bucket', 'the name of a bucket');
  const partSize = fields.wholeNumber('partSize', MIN_PART, MAX_PART, 'bytes') ?? 8 * MIB;
  const { conditions } = config;
  checkConditions(fields, conditions);
  return Object.freeze({
    bucket,
    prefix: prefixOf(fields),
    ...clientOf(fields, config),
    partSize,
    concurrency: fields.wholeNumber('concurrency', 1, 64, 'parts') ?? 4,
    maxBufferedBytes:
      fields.wholeNumber('maxBufferedBytes', 2 * partSize, Number.MAX_SAFE_INTEGER, 'bytes (two parts or more)') ??
      Math.max(256 * MIB, 4 * partSize),
    timeouts: timeoutsOf(config.timeouts),
    conditions,
    integrity: fields.oneOf('integrity', ['crc32', 'md5', 'none']),
    baseUrl: baseUrlOf(fields),
    urlExpiresIn: secondsOf(fields),
    postPolicies: fields.flag('postPolicies') ?? true,
    object: objectSettingsOf(fields, config),
    expectedBucketOwner: fields.text('expectedBucketOwner'),
    keys: fields.oneOf('keys', ['sanitize', 'strict']),
    name: fields.text('name') ?? 's3',
  });
}

function prefixOf(fields: ConfigFields): string {
  const given = fields.text('prefix');
  if (given === undefined) return '';
  try {
    return `${sanitizeKey(given, { maxBytes: 512 })}/`;
  } catch (error) {
    throw new ConfigurationError('S3Storage: prefix must be the beginning of keys, of at most 512 bytes.', {
      cause: error,
    });
  }
}

function clientOf(fields: ConfigFields, config: S3StorageConfig): Pick<S3Settings, 'client' | 'clientConfig'> {
  const { client } = config;
  if (client !== undefined) {
    const given: unknown = client;
    if (typeof given !== 'object' || given === null || !('send' in given) || !('config' in given)) {
      throw fields.wrong('client', 'an S3Client of @aws-sdk/client-s3');
    }
    const both = OF_THE_CLIENT.find((field) => config[field] !== undefined);
    if (both !== undefined) throw fields.wrong(both, 'left out where a client is given: the client has its own');
    return { client, clientConfig: {} };
  }
  const region = fields.text('region');
  const endpoint = urlOf(fields, 'endpoint');
  const forcePathStyle = fields.flag('forcePathStyle') ?? endpoint !== undefined;
  const maxAttempts = fields.wholeNumber('maxAttempts', 1, 20, 'attempts') ?? 4;
  return {
    client: undefined,
    clientConfig: {
      // a server of one's own has no regions, and a signature has to name one
      ...(region === undefined ? (endpoint === undefined ? undefined : { region: 'us-east-1' }) : { region }),
      ...(endpoint === undefined ? undefined : { endpoint }),
      ...(config.credentials === undefined ? undefined : { credentials: config.credentials }),
      forcePathStyle,
      maxAttempts,
    },
  };
}

function checkConditions(fields: ConfigFields, conditions: unknown): asserts conditions is S3Settings['conditions'] {
  if (conditions === undefined || conditions === 'probe') return;
  const names = ['createOnly', 'multipart', 'compareAndSwap'] as const;
  const given = (typeof conditions === 'object' ? conditions : null) as Partial<Record<string, unknown>> | null;
  if (given === null || names.some((name) => typeof given[name] !== 'boolean') || Object.keys(given).length !== 3) {
    throw fields.wrong('conditions', "'probe' or { createOnly, multipart, compareAndSwap }, each true or false");
  }
}

function timeoutsOf(given: unknown): S3Settings['timeouts'] {
  const fields = new ConfigFields('S3Storage: timeouts', given ?? {}, { connect: true, idle: true, request: true });
  const most = 2 ** 31 - 1;
  return {
    connect: fields.wholeNumber('connect', 1, most, 'milliseconds') ?? 5000,
    idle: fields.wholeNumber('idle', 1, most, 'milliseconds') ?? 30_000,
    request: fields.wholeNumber('request', 1, most, 'milliseconds') ?? 300_000,
  };
}

function urlOf(fields: ConfigFields, name: 'endpoint' | 'baseUrl'): string | undefined {
  const given = fields.text(name);
  if (given === undefined) return undefined;
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw fields.wrong(name, 'a URL with http: or https:');
  }
  return given;
}

function baseUrlOf(fields: ConfigFields): string | undefined {
  return urlOf(fields, 'baseUrl')?.replace(/\/*$/, '/');
}

function secondsOf(fields: ConfigFields): number {
  const seconds = fields.duration('urlExpiresIn') ?? 3600;
  if (seconds < 1 || seconds > 7 * DAY) throw fields.wrong('urlExpiresIn', '1 second to 7 days');
  // a URL says whole seconds
  return Math.floor(seconds);
}

function objectSettingsOf(fields: ConfigFields, config: S3StorageConfig): ObjectSettings {
  const { serverSideEncryption, bucketKeyEnabled, storageClass, tags, acl } = config;
  const kmsKeyId = fields.text('kmsKeyId');
  for (const name of ['serverSideEncryption', 'storageClass', 'acl'] as const) fields.text(name);
  fields.flag('bucketKeyEnabled');
  fields.texts('tags');
  return {
    ...(serverSideEncryption === undefined ? undefined : { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId === undefined ? undefined : { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKeyEnabled === undefined ? undefined : { BucketKeyEnabled: bucketKeyEnabled }),
    ...(storageClass === undefined ? undefined : { StorageClass: storageClass }),
    ...(tags === undefined ? undefined : { Tagging: tagging(tags) }),
    ...(acl === undefined ? undefined : { ACL: acl }),
  };
}

/** As the parameters of a URL, with `%20`: `+` is no space to every server. */
function tagging(tags: Readonly<Record<string, string>>): string {
  return new URLSearchParams(tags).toString().replaceAll('+', '%20');
}
