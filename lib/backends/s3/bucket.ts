import type { S3Client } from '@aws-sdk/client-s3';
import { abortErrorOf } from '../../contract/base/abort.js';
import { ConfigurationError, TimeoutError } from '../../contract/index.js';
import { nameAttemptErrors } from './attempt-errors.js';
import { BlockPool } from './block-pool.js';
import { credentialsError, nameCredentialErrors } from './credential-errors.js';
import { KeyCounts } from './key-counts.js';
import { NotSent, RequestHandler, type Exchange } from './request-handler.js';
import { RequestPace } from './request-pace.js';
import { failureOf, MAKE_IT } from './s3-errors.js';
import type { S3Settings } from './s3-storage-config.js';
import { loadSdk, type Sdk } from './sdk.js';

type Credentials = Awaited<ReturnType<S3Client['config']['credentials']>>;

/** A command of the SDK, by what comes out of it. */
interface Command<Output> {
  resolveMiddleware(...parameters: never[]): (args: never) => Promise<{ readonly output: Output }>;
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  readonly exchange?: Exchange | undefined;
}

interface Sending {
  readonly client: S3Client;
  readonly handler: RequestHandler;
}

/** The hosts of Amazon's own service, in all its partitions. */
const AMAZON = /(?:^|\.)amazonaws\.(?:com|com\.cn|eu)$/;

/** One bucket behind a client: what every request has in common. */
export class Bucket {
  readonly sdk: Sdk;
  readonly settings: S3Settings;
  /** For what is signed and sent by others. */
  readonly signing: S3Client;
  /** Whether it is Amazon's own service. */
  readonly isAmazon: boolean;
  readonly integrity: 'crc32' | 'md5' | 'none';
  /** The uploads in parts that this storage has under way. */
  readonly openUploads = new Set<string>();
  /** Keys for which an upload is being begun, and how many: the server has them open before anyone knows their names. */
  readonly beginning = new KeyCounts();
  readonly blocks: BlockPool;
  readonly #client: S3Client;
  readonly #sending: S3Client;
  readonly #handler: RequestHandler;
  readonly #pace = new RequestPace();
  #isThere = false;

  private constructor(sdk: Sdk, settings: S3Settings, client: S3Client, sending: Sending, isAmazon: boolean) {
    this.sdk = sdk;
    this.settings = settings;
    this.blocks = new BlockPool((settings.concurrency + 1) * settings.partSize);
    this.#client = client;
    this.#sending = sending.client;
    this.#handler = sending.handler;
    this.signing = derive(client, client.config.requestHandler, () => undefined);
    // forms are dated by it
    Object.defineProperty(this.signing.config, 'systemClockOffset', { get: () => this.clockOffset });
    this.isAmazon = isAmazon;
    this.integrity = settings.integrity ?? (isAmazon ? 'crc32' : 'md5');
  }

  static async open(settings: S3Settings): Promise<Bucket> {
    const sdk = await loadSdk();
    const client = settings.client ?? makeClient(sdk, settings);
    const handler = new RequestHandler(client.config.requestHandler, settings.timeouts.idle);
    const sending = derive(client, handler, (stack) => {
      adaptSending(stack, client);
    });
    const isAmazon = AMAZON.test(await hostOf(sdk, sending, settings.bucket));
    return new Bucket(sdk, settings, client, { client: sending, handler }, isAmazon);
  }

  /** Milliseconds by which the server's clock is ahead of this machine's, as far as its answers have told. */
  get clockOffset(): number {
    return this.#handler.clockOffset;
  }

  /** By the server's clock, which decides how long a signature holds and how old an upload is. In milliseconds since 1970. */
  now(): number {
    return Date.now() + this.clockOffset;
  }

  /** What goes into every request. */
  get target(): { readonly Bucket: string; readonly ExpectedBucketOwner?: string } {
    const { bucket, expectedBucketOwner } = this.settings;
    return {
      Bucket: bucket,
      ...(expectedBucketOwner === undefined ? undefined : { ExpectedBucketOwner: expectedBucketOwner }),
    };
  }

  /** The name of an object in the bucket. */
  name(key: string): string {
    return this.settings.prefix + key;
  }

  /** What signs. */
  async credentials(): Promise<Credentials> {
    try {
      return await this.#client.config.credentials();
    } catch (error) {
      throw credentialsError(error);
    }
  }

  /** Sends a request, and repeats it as the client is set up. */
  async send<Output>(command: Command<Output>, { signal, exchange }: SendOptions = {}): Promise<Output> {
    await this.#pace.turn();
    const whole = new AbortController();
    const limit = setTimeout(() => {
      whole.abort();
    }, this.settings.timeouts.request);
    const stop = (): void => {
      whole.abort();
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      // what the SDK's own overloads say of each of its commands
      const send = this.#sending.send.bind(this.#sending) as (command: unknown, options: object) => Promise<Output>;
      return await send(command, { abortSignal: whole.signal, exchange });
    } catch (error) {
      if (signal?.aborted === true) throw abortErrorOf(signal);
      if (whole.signal.aborted) {
        const { request } = this.settings.timeouts;
        throw new TimeoutError(`The server had not answered after ${request} ms (timeouts.request).`, { cause: error });
      }
      throw error;
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', stop);
    }
  }

  /**
   * After an answer of 404 that may be about the bucket.
   *
   * @throws ConfigurationError where there is none
   */
  async expectThere(): Promise<void> {
    if (this.#isThere) return;
    try {
      await this.send(new this.sdk.HeadBucketCommand(this.target));
      this.#isThere = true;
    } catch (error) {
      // whoever may not ask for the bucket is left with what was said of the object
      if (failureOf(error).status !== 404) return;
      throw new ConfigurationError(`There is no bucket ${this.settings.bucket}: ${MAKE_IT}.`, { cause: error });
    }
  }

  close(): void {
    if (this.settings.client === undefined) this.#client.destroy();
  }
}

function makeClient(sdk: Sdk, { clientConfig, timeouts }: S3Settings): S3Client {
  const agent = { keepAlive: true, maxSockets: 256 };
  return new sdk.S3Client({
    ...clientConfig,
    requestHandler: { connectionTimeout: timeouts.connect, httpAgent: agent, httpsAgent: agent },
    // a presigned request would carry the checksum of nothing
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/**
 * The client with what this storage needs of every request, whatever it is set to: its sockets, credentials and retries stay the owner's.
 * Checksums are this storage's own: those of the SDK make a stream of each body, which several servers refuse, and presigned URLs of theirs
 * carry the checksum of nothing.
 */
function derive(
  client: S3Client,
  requestHandler: object,
  adapt: (stack: S3Client['middlewareStack']) => void,
): S3Client {
  const middlewareStack = client.middlewareStack.clone();
  adapt(middlewareStack);
  const config = {
    ...client.config,
    requestHandler,
    requestChecksumCalculation: () => Promise.resolve('WHEN_REQUIRED'),
    responseChecksumValidation: () => Promise.resolve('WHEN_REQUIRED'),
  };
  return Object.create(client, { middlewareStack: { value: middlewareStack }, config: { value: config } }) as S3Client;
}

function adaptSending(stack: S3Client['middlewareStack'], client: S3Client): void {
  nameAttemptErrors(stack);
  nameCredentialErrors(stack, () => client.config.credentials());
  // to ask first costs a connection of its own for each part
  stack.remove('addExpectContinueMiddleware');
  stack.add(
    (next) => (args) => {
      const { request } = args as { request: { method: string; headers: Record<string, string> } };
      // the bytes have a checksum in the signed headers: hashing them once more costs a third of an upload
      if (request.method === 'PUT') request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'unsignedPayload', priority: 'low' },
  );
}

/** Whom requests go to. Nothing is sent. */
async function hostOf(sdk: Sdk, client: S3Client, bucket: string): Promise<string> {
  const exchange: Exchange = { onlyResolve: true };
  try {
    const send = client.send.bind(client) as (command: unknown, options: object) => Promise<unknown>;
    await send(new sdk.HeadBucketCommand({ Bucket: bucket }), { exchange });
  } catch (error) {
    if (error instanceof NotSent) return error.hostname;
    throw error;
  }
  return '';
}
