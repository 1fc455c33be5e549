import type { Server } from 'node:http';
import { Body, Controller, Module, Post, UploadedFiles, UseInterceptors, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AnyStorageFilesInterceptor, MemoryStorage, Storage, type StoredUpload } from 'nestjs-storages';
import { RawClient } from '../../upload/raw-client.js';
import { arrayIn, objectIn, textIn } from '../json.js';
import type { Reading, SeenPart } from './reading.js';
import type { ExpectedPart, Vector } from './vector.js';

export type Platform = 'express' | 'fastify';

/** An application that says what it was sent. */
export class EchoApplication {
  private constructor(
    private readonly app: INestApplication,
    private readonly port: number,
  ) {}

  static async start(platform: Platform): Promise<EchoApplication> {
    const storage = new MemoryStorage();

    @Controller()
    class EchoController {
      @Post('upload')
      @UseInterceptors(AnyStorageFilesInterceptor())
      async upload(@UploadedFiles() files: StoredUpload[], @Body() body: Record<string, unknown>): Promise<object> {
        const seen = files.map(async ({ fieldname, originalname, mimetype, encoding, key }) => {
          const bytes = await storage.getBytes(key);
          return {
            name: fieldname,
            filename: originalname,
            mimeType: mimetype,
            encoding,
            bytes: bytes.toString('base64'),
          };
        });
        return { fields: Object.entries(body), files: await Promise.all(seen) };
      }
    }

    @Module({ controllers: [EchoController], providers: [{ provide: Storage, useValue: storage }] })
    class EchoModule {}

    const quiet = { logger: false, abortOnError: false } as const;
    const app =
      platform === 'fastify'
        ? await NestFactory.create(EchoModule, new FastifyAdapter(), quiet)
        : await NestFactory.create(EchoModule, quiet);
    await app.listen(0, '127.0.0.1');
    const address = (app.getHttpServer() as Server).address();
    if (typeof address !== 'object' || address === null) throw new Error('The server does not listen on a port.');
    return new EchoApplication(app, address.port);
  }

  /** Text fields first, files behind them: the application does not see their order. */
  async read({ id, contentType, body }: Vector): Promise<Reading> {
    const client = await RawClient.connect(this.port);
    try {
      client.post(body, { 'Content-Type': contentType });
      const answer = await client.answer();
      const told = objectIn(answer.body, id);
      if (answer.status >= 500) throw new Error(`${id} is answered ${answer.status}.`);
      if (answer.status >= 400) return { refused: `${answer.status} ${textIn(told['code'], id)}` };
      return { parts: [...arrayIn(told['fields'], id).map(fieldOf), ...arrayIn(told['files'], id).map(fileOf)] };
    } finally {
      client.destroy();
    }
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/**
 * What an application is to get of these parts. A file input that was left empty gives no file, as with Nest's own interceptors: of such a part
 * nothing can be seen.
 */
export function deliveredOf(parts: readonly ExpectedPart[] | undefined): readonly ExpectedPart[] | undefined {
  if (parts === undefined) return undefined;
  const files = parts.filter(({ filename, size }) => filename !== undefined && (filename !== '' || size > 0));
  return [...parts.filter(({ filename }) => filename === undefined), ...files];
}

function fieldOf(entry: unknown): SeenPart {
  const [name, value] = arrayIn(entry, 'a field');
  return {
    name: textIn(name, 'the name of a field'),
    filename: undefined,
    mimeType: undefined,
    body: Buffer.from(textIn(value, 'the value of a field')),
  };
}

function fileOf(value: unknown): SeenPart {
  const file = objectIn(value, 'a file');
  return {
    name: textIn(file['name'], 'the field of a file'),
    filename: textIn(file['filename'], 'the name of a file'),
    mimeType: textIn(file['mimeType'], 'the type of a file'),
    encoding: textIn(file['encoding'], 'the encoding of a file'),
    body: Buffer.from(textIn(file['bytes'], 'the bytes of a file'), 'base64'),
  };
}
