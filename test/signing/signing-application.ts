import { Module, type DynamicModule, type INestApplication, type Provider, type Type } from '@nestjs/common';
import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { StorageModule, StorageRegistry, type ServeOptions, type Storage, type UploadDefaults } from 'nestjs-storages';
import { createApplication } from '../upload/upload-application.js';

export const SECRET = 'a secret of at least thirty-two bytes';
/** What the application believes its address to be, as behind a proxy: its port is known only when it listens. */
export const PUBLIC = 'https://files.example.com';

export interface SigningSetup {
  readonly storages: Readonly<Record<string, Storage>>;
  /** `false`: the application has it elsewhere. */
  readonly serve?: Partial<ServeOptions> | false | undefined;
  readonly upload?: UploadDefaults | undefined;
  readonly imports?: readonly (Type | DynamicModule)[];
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
  /** Runs before the application starts. */
  readonly configure?: (app: INestApplication) => void;
}

export interface SignedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
}

export interface SentRequest {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string | Readable;
}

/** A real application that serves signed URLs and listens on the loopback. */
export class SigningApplication {
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  static async start(setup: SigningSetup): Promise<SigningApplication> {
    @Module({
      imports: [
        ...(setup.imports ?? []),
        StorageModule.forRoot({
          default: false,
          storages: setup.storages,
          upload: setup.upload,
          serve: setup.serve === false ? undefined : { baseUrl: PUBLIC, secrets: [SECRET], ...setup.serve },
        }),
      ],
      controllers: [...(setup.controllers ?? [])],
      providers: [...(setup.providers ?? [])],
    })
    class SigningModule {}

    const app = await createApplication(SigningModule);
    setup.configure?.(app);
    await app.listen(0, '127.0.0.1');
    return new SigningApplication(app, ((app.getHttpServer() as Server).address() as AddressInfo).port);
  }

  storage(name: string): Storage {
    return this.app.get(StorageRegistry).get(name);
  }

  /** Follows a URL as a proxy passes it on: its path and query as they are. */
  send(url: string, { method = 'GET', headers = {}, body }: SentRequest = {}): Promise<SignedAnswer> {
    if (!url.startsWith(PUBLIC)) throw new Error(`Not a URL of this application: ${url}`);
    const path = url.slice(PUBLIC.length);
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: this.port, method, path, headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const received = Buffer.concat(chunks);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: received,
              get json() {
                return JSON.parse(received.toString()) as Record<string, unknown>;
              },
            });
          });
        },
      );
      sent.on('error', reject);
      if (body instanceof Readable) body.pipe(sent);
      else sent.end(body);
    });
  }

  /** `fetch` for URLs of the application, whatever it takes its address to be. */
  readonly fetch: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    return fetch(`http://127.0.0.1:${this.port}${url.href.slice(url.origin.length)}`, init);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.app.close();
  }
}
