import {
  ConfigurationError,
  ConnectionError,
  FileNotFoundError,
  FileTooLargeError,
  IntegrityError,
  InvalidKeyError,
  PermissionError,
  PreconditionFailedError,
  QuotaExceededError,
  StorageError,
  TimeoutError,
  UnsupportedOperationError,
} from '../../contract/index.js';

/** What is known of a failure of the SDK: a status where the server has answered. */
export interface S3Failure {
  readonly status: number | undefined;
  /** The server's code for it, or the kind of an error that came before an answer. Servers differ in it: it refines a status, and decides nothing alone. */
  readonly code: string;
  readonly requestId: string | undefined;
  /** Where the bucket lies, which Amazon says to who asks elsewhere. */
  readonly region: string | undefined;
  readonly attempts: number;
}

export function failureOf(error: unknown): S3Failure {
  const { name, code, $metadata, $response } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: {
      readonly httpStatusCode?: unknown;
      readonly requestId?: unknown;
      readonly attempts?: unknown;
    };
    readonly $response?: { readonly headers?: Readonly<Record<string, unknown>> };
  };
  const status = $metadata?.httpStatusCode;
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  return {
    status: typeof status === 'number' ? status : undefined,
    code: (typeof status === 'number' ? text(name) : (text(code) ?? text(name))) ?? 'Unknown',
    requestId: text($metadata?.requestId),
    region: text($response?.headers?.['x-amz-bucket-region']),
    attempts: typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1,
  };
}

/** Whether the server may have done what it was asked although no answer came. */
export function isAnswerLost(error: unknown): boolean {
  const { status, code } = failureOf(error);
  if (error instanceof StorageError) return error.code === 'TIMEOUT';
  return status === undefined ? !BEFORE_SENDING.has(code) : status >= 500;
}

export function isTimeout(error: unknown): boolean {
  return TIMEOUTS.has(error instanceof StorageError ? error.code : failureOf(error).code);
}

const TIMEOUTS: ReadonlySet<string> = new Set(['TIMEOUT', 'TimeoutError', 'ETIMEDOUT', 'ESOCKETTIMEDOUT']);

/** No connection stood: nothing can have arrived. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'CredentialsProviderError',
]);

/** What the SDK and the server say, as a storage error. @returns undefined for what is neither's */
export function errorOf(error: unknown, bucket: string, key: string | undefined): StorageError | undefined {
  const failure = failureOf(error);
  if (failure.status === undefined) return errorWithoutAnswer(error, failure);
  return errorOfStatus(failure.status, failure, { bucket, key, cause: error });
}

/** What to do about a bucket that is not there: the storage makes none. */
export const MAKE_IT = 'make it first, or correct `bucket` or `endpoint`';

interface About {
  readonly bucket: string;
  readonly key: string | undefined;
  readonly cause: unknown;
}

const CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired']);
const REGION = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'Redirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
const WRONG_KEY = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken']);
/** Whether nothing at all will be allowed, whatever is asked: not by these credentials, or not by this clock. */
export function refusesEverything({ code }: S3Failure): boolean {
  return WRONG_KEY.has(code) || CLOCK.has(code);
}

/** What was sent is not what arrived: as another attempt may be. */
export const DAMAGED: ReadonlySet<string> = new Set([
  'BadDigest',
  'InvalidDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'IncompleteBody',
  'InvalidPart',
  'MalformedXML',
]);

function errorOfStatus(status: number, { code, requestId, region }: S3Failure, about: About): StorageError {
  const { bucket, key, cause } = about;
  const options = { cause };
  const said = `${status} ${code}${requestId === undefined ? '' : `, request ${requestId}`}`;
  if (CLOCK.has(code)) {
    return new ConfigurationError(`The clock of this machine is too far from the server's (${said}): set it.`, options);
  }
  if (REGION.has(code) || (status >= 300 && status < 400 && status !== 304)) {
    return new ConfigurationError(
      `The bucket ${bucket} lies in another region than the client is set to (${said})${region === undefined ? '' : `: set \`region\` to ${region}`}.`,
      options,
    );
  }
  if (WRONG_KEY.has(code)) {
    return new PermissionError(
      `The server does not accept the credentials: they are wrong or have expired (${said}).`,
      options,
    );
  }
  if (DAMAGED.has(code)) {
    return new IntegrityError(`What arrived at the server is not what was sent (${said}).`, {
      ...options,
      retryable: true,
    });
  }
  if (code === 'QuotaExceeded' || status === 507)
    return new QuotaExceededError(`The server has no more room (${said}).`, options);
  switch (status) {
    case 304:
    case 412:
      return new PreconditionFailedError('The condition did not hold for the version that is there.', {
        ...options,
        key,
      });
    case 401:
    case 403:
      return new PermissionError(`The server refuses this to these credentials (${said}).`, { ...options, key });
    case 404:
      if (code === 'NoSuchBucket')
        return new ConfigurationError(`There is no bucket ${bucket} (${said}): ${MAKE_IT}.`, options);
      if (code === 'NoSuchUpload') {
        return new StorageError(
          `The upload was given up at the server while it was under way (${said}): by a sweep or a rule of the bucket that waits for too short a time.`,
          { ...options, key, retryable: true },
        );
      }
      return key === undefined
        ? new StorageError(`The server does not find it (${said}).`, options)
        : new FileNotFoundError(key, options);
    case 408:
      return new TimeoutError(`The server waited for too long (${said}).`, options);
    case 409:
      return new StorageError(`Another request was changing the same (${said}).`, { ...options, retryable: true });
    case 411:
    case 405:
    case 501:
      return new UnsupportedOperationError(`This server does not know what it was asked (${said}).`, options);
    case 413:
      return new FileTooLargeError(`The server takes no object of that size (${said}).`, { ...options, key });
    case 429:
      return new ConnectionError(`The server asks for fewer requests (${said}).`, options);
    case 400:
      return badRequest(code, said, about);
    default:
      return status >= 500
        ? new ConnectionError(`The server failed (${said}).`, options)
        : new StorageError(`The server refused the request (${said}).`, options);
  }
}

function badRequest(code: string, said: string, { key, cause }: About): StorageError {
  if (code === 'EntityTooLarge')
    return new FileTooLargeError(`The server takes no object of that size (${said}).`, { cause, key });
  if (code === 'RequestTimeout') return new TimeoutError(`The server waited for too long (${said}).`, { cause });
  if (code === 'KeyTooLongError')
    return new InvalidKeyError(`The server takes no key of that length (${said}).`, 'too-long', { cause, key });
  return new StorageError(`The server does not take the request (${said}).`, { cause });
}

function errorWithoutAnswer(cause: unknown, { code }: S3Failure): StorageError | undefined {
  if (code === 'CredentialsProviderError') {
    return new ConfigurationError(
      'No credentials were found for the server: set `credentials`, or what the SDK looks for.',
      { cause },
    );
  }
  if (TIMEOUTS.has(code)) {
    return new TimeoutError('The server did not answer in time.', { cause });
  }
  if (
    code.startsWith('CERT_') ||
    code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ||
    code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
  ) {
    return new ConfigurationError(`The certificate of the server is not trusted (${code}).`, { cause });
  }
  if (/^(?:E[A-Z_]+|HPE_[A-Z_]+)$/.test(code)) {
    return new ConnectionError(
      BEFORE_SENDING.has(code)
        ? `The server cannot be reached (${code}): is it up, and is \`endpoint\` right?`
        : `The connection to the server broke (${code}).`,
      { cause },
    );
  }
  // an answer that is no XML, or none of S3's
  if (code === 'UnreadableAnswer')
    return new ConnectionError(`The server's answer could not be read (${code}).`, { cause });
  return undefined;
}
