import {
  All,
  Body,
  Controller,
  Module,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  type DynamicModule,
  type INestApplication,
  type NestApplicationOptions,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StorageModule, type Storage, type UploadDefaults } from 'nestjs-storages';
import { form, FORM_TYPE, type Part } from './form.js';
import { RawClient, type Answer } from './raw-client.js';
import { createApplication } from './upload-application.js';

/** What a handler's decorators give it. */
export interface Given {
  readonly file: unknown;
  readonly files: unknown;
  readonly body: unknown;
}

export interface Routes {
  /** By its path, the interceptor of each. */
  readonly routes: Readonly<Record<string, Type<NestInterceptor>>>;
  /** The first one is the default storage. */
  readonly storages?: Readonly<Record<string, Storage>>;
  readonly upload?: UploadDefaults;
  /** Instead of one that is made of `storages` and `upload`. */
  readonly module?: DynamicModule;
  readonly handler?: (given: Given, path: string) => unknown;
  readonly nest?: NestApplicationOptions;
}

/** An application with a route for each of several interceptors, on the platform that is being tested. A success is a 200. */
export class RoutesApplication {
  /** What the handlers got, as it was, in the order of the calls. */
  readonly given: Given[] = [];
  /** What the application has logged as errors. */
  readonly errors: string[] = [];
  #app: INestApplication | undefined;
  port = 0;

  static async start(routes: Routes): Promise<RoutesApplication> {
    const application = new RoutesApplication();
    await application.#start(routes);
    return application;
  }

  async #start({ routes, storages = {}, upload, module, handler = (given) => given, nest }: Routes): Promise<void> {
    const controllers = Object.entries(routes).map(([path, interceptor]) =>
      controllerOf(path, interceptor, (given) => {
        this.given.push(given);
        return handler(given, path);
      }),
    );
    const [first = false] = Object.keys(storages);
    const root =
      module ?? StorageModule.forRoot({ default: first, storages, ...(upload === undefined ? undefined : { upload }) });
    const log = (...words: unknown[]): void => {
      this.errors.push(words.map(String).join(' '));
    };
    const silent = (): void => undefined;

    @Module({ imports: [root], controllers })
    class AppModule {}

    const logger = { log: silent, warn: silent, debug: silent, verbose: silent, fatal: log, error: log };
    this.#app = await createApplication(AppModule, { logger, ...nest });
    await this.#app.listen(0, '127.0.0.1');
    this.port = ((this.#app.getHttpServer() as Server).address() as AddressInfo).port;
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** Sends a form over a connection of its own. */
  post(path: string, ...parts: readonly Part[]): Promise<Answer> {
    return this.send(path, form(...parts), { 'Content-Type': FORM_TYPE });
  }

  /** Sends a request with just these headers and its length over a connection of its own. */
  async send(
    path: string,
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
    method = 'POST',
  ): Promise<Answer> {
    const client = await this.connect();
    try {
      client.request(method, `/${path}`, { 'Content-Length': String(Buffer.byteLength(body)), ...headers });
      client.socket.write(body);
      return await client.answer();
    } finally {
      client.destroy();
    }
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }
}

function controllerOf(path: string, interceptor: Type<NestInterceptor>, handler: (given: Given) => unknown): Type {
  @Controller(path)
  class RouteController {
    @All()
    @UseInterceptors(interceptor)
    handle(@UploadedFile() file: unknown, @UploadedFiles() files: unknown, @Body() body: unknown): unknown {
      return handler({ file, files, body });
    }
  }
  return RouteController;
}
