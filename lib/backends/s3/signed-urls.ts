import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import {
  contentTypeOfKey,
  encodeKey,
  PermissionError,
  UnsupportedOperationError,
  type ResolvedUploadUrlOptions,
  type ResolvedUrlOptions,
  type SignedUpload,
} from '../../contract/index.js';
import { singleChecksum } from '../../contract/options/single-checksum.js';
import type { Bucket } from './bucket.js';
import { loadPresignedPost, loadPresigner } from './presigners.js';
import type { ObjectSettings } from './s3-storage-config.js';

/** What S3 replaces in the key of a form, so that the key would be the client's to choose. */
const NAME_OF_CLIENT = '${filename}';
/** Ceph strips spaces from the key of a form, finds that it is not the key of the policy, and answers 403. */
const SPACE_AT_END = /^ | $/;

/** A URL that gives the object to whoever has it. */
export async function signGet(bucket: Bucket, key: string, options: ResolvedUrlOptions): Promise<string> {
  const { expiresIn, disposition, contentType } = options;
  const { baseUrl, urlExpiresIn } = bucket.settings;
  const isPlain = expiresIn === undefined && disposition === undefined && contentType === undefined;
  if (isPlain && baseUrl !== undefined) return baseUrl + encodeKey(key);
  const { getSignedUrl } = await loadPresigner();
  const command = new bucket.sdk.GetObjectCommand({
    ...bucket.target,
    Key: bucket.name(key),
    ...(disposition === undefined ? undefined : { ResponseContentDisposition: disposition }),
    ...(contentType === undefined ? undefined : { ResponseContentType: contentType }),
  });
  return getSignedUrl(bucket.signing, command, {
    expiresIn: await life(bucket, expiresIn ?? urlExpiresIn),
    signingDate: new Date(bucket.now()),
  });
}

/** A request that puts the object: a PUT of this type and length, or a POST with a limit of its length. */
export async function signUpload(
  bucket: Bucket,
  key: string,
  options: ResolvedUploadUrlOptions,
): Promise<SignedUpload> {
  const contentType = options.contentType ?? contentTypeOfKey(key);
  const expiresIn = await life(bucket, options.expiresIn);
  const expiresAt = new Date(Date.now() + expiresIn * 1000);
  if (options.method === 'POST' || options.maxSize !== undefined) {
    return { method: 'POST', expiresAt, ...(await signPost(bucket, key, contentType, expiresIn, options)) };
  }
  const { getSignedUrl } = await loadPresigner();
  const { size } = options;
  const conditions = conditionHeaders(bucket, options);
  const command = new bucket.sdk.PutObjectCommand({
    ...bucket.target,
    ...bucket.settings.object,
    Key: bucket.name(key),
    ContentType: contentType,
    ...(size === undefined ? undefined : { ContentLength: size }),
    ...conditions.input,
  });
  const headers = { 'content-type': contentType, ...putHeaders(bucket), ...conditions.headers };
  const bound = new Set(Object.keys(headers));
  const url = await getSignedUrl(bucket.signing, command, {
    expiresIn,
    signingDate: new Date(bucket.now()),
    // in the query some servers drop them, and others refuse a header that was not signed
    signableHeaders: new Set(['host', 'content-length', ...bound]),
    unhoistableHeaders: bound,
  });
  // a client sends the length by itself, and a browser lets nobody set it
  return { method: 'PUT', url, headers, expiresAt };
}

/** What a PUT is bound to beside its type and length: as the SDK takes it, and as the client sends it. */
function conditionHeaders(
  { settings }: Bucket,
  { checksum, ifNoneMatch }: ResolvedUploadUrlOptions,
): { readonly input: Partial<PutObjectCommandInput>; readonly headers: Record<string, string> } {
  const input: Partial<PutObjectCommandInput> = {};
  const headers: Record<string, string> = {};
  if (ifNoneMatch !== undefined) {
    input.IfNoneMatch = ifNoneMatch;
    headers['if-none-match'] = ifNoneMatch;
  }
  const [algorithm, hex = ''] = singleChecksum(checksum) ?? [];
  const digest = Buffer.from(hex, 'hex').toString('base64');
  if (algorithm === 'md5') {
    input.ContentMD5 = digest;
    headers['content-md5'] = digest;
  } else if (algorithm !== undefined) {
    // a server that knows only MD5 would take any bytes and say nothing
    if (settings.integrity !== 'crc32') {
      throw new UnsupportedOperationError(
        `This server is not known to check a ${algorithm} (integrity is '${settings.integrity}'): give checksum.md5, which every server checks.`,
      );
    }
    input[algorithm === 'sha256' ? 'ChecksumSHA256' : 'ChecksumCRC32'] = digest;
    headers[`x-amz-checksum-${algorithm}`] = digest;
  }
  return { input, headers };
}

async function signPost(
  bucket: Bucket,
  key: string,
  contentType: string,
  expiresIn: number,
  { method, size, maxSize, checksum, ifNoneMatch }: ResolvedUploadUrlOptions,
): Promise<{ readonly url: string; readonly fields: Record<string, string> }> {
  const { settings } = bucket;
  if (method === 'PUT') {
    throw new UnsupportedOperationError(
      "S3 bounds a length that is not known (maxSize) for forms alone: give the exact size, or leave method: 'PUT' out.",
    );
  }
  if (checksum !== undefined || ifNoneMatch !== undefined) {
    throw new UnsupportedOperationError(
      "S3 takes no checksum and no ifNoneMatch for a form (maxSize, or method: 'POST'): give the exact size, and let the client PUT.",
    );
  }
  if (!settings.postPolicies) {
    throw new UnsupportedOperationError(
      "This server takes no POST policies (postPolicies), which maxSize and method: 'POST' need: give the exact size, and let the client PUT.",
    );
  }
  if (bucket.name(key).includes(NAME_OF_CLIENT)) {
    throw new UnsupportedOperationError(
      `A form whose key holds ${NAME_OF_CLIENT} puts what the client calls its file in that place: give the exact size, or another key.`,
      { key },
    );
  }
  if (!bucket.isAmazon && SPACE_AT_END.test(bucket.name(key))) {
    throw new UnsupportedOperationError(
      'A form whose key begins or ends with a space is refused by servers that strip it: give the exact size, or another key.',
      { key },
    );
  }
  const { createPresignedPost } = await loadPresignedPost();
  return createPresignedPost(bucket.signing, {
    Bucket: settings.bucket,
    Key: bucket.name(key),
    Conditions:
      size === undefined && maxSize === undefined ? [] : [['content-length-range', size ?? 0, size ?? maxSize ?? 0]],
    Fields: { 'Content-Type': contentType, ...postFields(bucket) },
    Expires: expiresIn,
  });
}

/** What goes into every object, by the names that a form has for it. */
function postFields({ settings: { object } }: Bucket): Record<string, string> {
  const { Tagging, ACL, ...rest } = object;
  return {
    ...headersOf(rest),
    ...(ACL === undefined ? undefined : { acl: ACL }),
    ...(Tagging === undefined ? undefined : { tagging: tagDocument(Tagging) }),
  };
}

/** A form has tags as a document. */
function tagDocument(tagging: string): string {
  const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const tags = Array.from(
    new URLSearchParams(tagging),
    ([key, value]) => `<Tag><Key>${escape(key)}</Key><Value>${escape(value)}</Value></Tag>`,
  );
  return `<Tagging><TagSet>${tags.join('')}</TagSet></Tagging>`;
}

function putHeaders({ settings: { object, expectedBucketOwner } }: Bucket): Record<string, string> {
  return {
    ...headersOf(object),
    ...(expectedBucketOwner === undefined ? undefined : { 'x-amz-expected-bucket-owner': expectedBucketOwner }),
  };
}

const HEADERS = {
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  BucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  StorageClass: 'x-amz-storage-class',
  Tagging: 'x-amz-tagging',
  ACL: 'x-amz-acl',
} as const satisfies Record<keyof ObjectSettings, string>;

function headersOf(object: ObjectSettings): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [field, name] of Object.entries(HEADERS)) {
    const value = object[field as keyof ObjectSettings];
    if (value !== undefined) headers[name] = String(value);
  }
  return headers;
}

/**
 * Seconds: no longer than the credentials live that sign.
 *
 * @throws PermissionError where they have expired
 */
async function life(bucket: Bucket, expiresIn: number): Promise<number> {
  const { expiration } = await bucket.credentials();
  if (expiration === undefined) return expiresIn;
  const left = Math.floor((expiration.getTime() - bucket.now()) / 1000);
  if (left < 1) {
    throw new PermissionError(
      `The credentials for the server have expired (${expiration.toISOString()}): what they sign works for nobody.`,
    );
  }
  return Math.min(expiresIn, left);
}
