import {
  Body,
  Controller,
  Module,
  Post,
  UploadedFile,
  UseInterceptors,
  type INestApplication,
  type NestApplicationOptions,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  StorageFileInterceptor,
  UPLOAD_DEFAULTS,
  Storage,
  type StoredUpload,
  type UploadDefaults,
  type UploadOptions,
} from 'nestjs-storages';
import { form, FORM_TYPE, type Part } from './form.js';
import { RawClient, type Answer } from './raw-client.js';

export type Handler = (file: StoredUpload | undefined, body: Record<string, unknown>) => unknown;

export interface UploadApplicationOptions {
  readonly storage: Storage;
  readonly options?: UploadOptions;
  readonly defaults?: UploadDefaults;
  readonly field?: string;
  readonly handler?: Handler;
  /** Runs before Nest. */
  readonly before?: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
  readonly interceptors?: readonly NestInterceptor[];
  readonly pipes?: readonly (PipeTransform | Type<PipeTransform>)[];
}

/** Set by the Jest projects of the other platform. */
export const { platform } = globalThis as { readonly platform?: 'fastify' };

/** An application on the platform that is being tested. */
export async function createApplication(module: Type, options: NestApplicationOptions = {}): Promise<INestApplication> {
  const quiet = { logger: false, abortOnError: false, ...options } as const;
  return platform === 'fastify'
    ? NestFactory.create(module, new FastifyAdapter(), quiet)
    : NestFactory.create(module, quiet);
}

/** One route, `POST /upload`, of a real application that listens on the loopback. */
export class UploadApplication {
  private constructor(
    readonly app: INestApplication,
    readonly server: Server,
    readonly port: number,
  ) {}

  static async start(setup: UploadApplicationOptions): Promise<UploadApplication> {
    const handler: Handler = setup.handler ?? ((file, body) => ({ file, body }));

    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(...(setup.interceptors ?? []), StorageFileInterceptor(setup.field ?? 'file', setup.options))
      upload(
        @UploadedFile(...(setup.pipes ?? [])) file: StoredUpload | undefined,
        @Body() body: Record<string, unknown>,
      ): unknown {
        return handler(file, body);
      }
    }

    @Module({
      controllers: [UploadController],
      providers: [
        { provide: Storage, useFactory: () => setup.storage },
        { provide: 'Storage:other', useFactory: () => setup.storage },
        ...(setup.defaults === undefined ? [] : [{ provide: UPLOAD_DEFAULTS, useValue: setup.defaults }]),
      ],
    })
    class AppModule {}

    const app = await createApplication(AppModule);
    if (setup.before !== undefined) app.use(setup.before);
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as Server;
    return new UploadApplication(app, server, (server.address() as AddressInfo).port);
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** Sends a form over a connection of its own. */
  async post(...parts: readonly Part[]): Promise<Answer> {
    return this.send(form(...parts));
  }

  async send(body: Buffer | string, contentType = FORM_TYPE): Promise<Answer> {
    const client = await this.connect();
    try {
      client.post(body, { 'Content-Type': contentType });
      return await client.answer();
    } finally {
      client.destroy();
    }
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
