import {
  Controller,
  Get,
  Head,
  HttpCode,
  Module,
  Param,
  Post,
  Query,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  archive,
  InjectStorage,
  storedFile,
  StorageModule,
  type ArchiveOptions,
  type Storage,
  type StoredFileOptions,
} from 'nestjs-storages';
import { createApplication } from '../upload/upload-application.js';

export interface DownloadAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The connection broke before the answer had ended. */
  readonly broken: boolean;
}

/** `GET /file/:key`, `HEAD /head/:key`, `POST /file/:key` and `GET /archive` of a real application that listens on the loopback. */
export class DownloadApplication {
  /** What the next answers are made with. */
  options: StoredFileOptions = {};

  /** What the next archives are made of and with. */
  archived: { readonly of: readonly string[] | string; readonly options?: ArchiveOptions } = { of: '' };

  private constructor(
    readonly app: INestApplication,
    readonly port: number,
    readonly storage: Storage,
  ) {}

  static async start(storage: Storage, imports: readonly Type[] = []): Promise<DownloadApplication> {
    const made: { application?: DownloadApplication } = {};

    @Controller()
    class Files {
      constructor(@InjectStorage() private readonly files: Storage) {}

      @Get('file/:key')
      get(@Param('key') key: string): unknown {
        return storedFile(this.files, key, made.application?.options);
      }

      @Get('later')
      later(@Query('key') key: string): Promise<unknown> {
        return Promise.resolve(storedFile(this.files, key, made.application?.options));
      }

      @Get('error-page')
      @HttpCode(404)
      errorPage(@Query('key') key: string): unknown {
        return storedFile(this.files, key, made.application?.options);
      }

      @Head('head/:key')
      head(@Param('key') key: string): unknown {
        return storedFile(this.files, key, made.application?.options);
      }

      @Post('file/:key')
      post(@Param('key') key: string): unknown {
        return storedFile(this.files, key, made.application?.options);
      }

      @Get('archive')
      archive(): unknown {
        return archive(this.files, made.application?.archived.of ?? '', made.application?.archived.options);
      }

      @Get('plain')
      plain(): unknown {
        return { plain: true };
      }
    }

    @Module({ imports: [...imports, StorageModule.forRoot({ storages: { files: storage } })], controllers: [Files] })
    class DownloadModule {}

    const app = await createApplication(DownloadModule);
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as Server;
    const application = new DownloadApplication(app, (server.address() as AddressInfo).port, storage);
    made.application = application;
    return application;
  }

  send(method: string, path: string, headers: OutgoingHttpHeaders = {}): Promise<DownloadAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        const settle = (broken: boolean): void => {
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks), broken });
        };
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          settle(false);
        });
        response.on('error', () => {
          settle(true);
        });
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  get(key: string, headers: OutgoingHttpHeaders = {}): Promise<DownloadAnswer> {
    return this.send('GET', `/file/${encodeURIComponent(key)}`, headers);
  }

  async close(): Promise<void> {
    await this.app.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
