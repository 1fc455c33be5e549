import type { Server, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Storage } from 'nestjs-storages';
import { AppModule } from './app.module.js';
import { BucketSetup } from './bucket.js';
import { readSettings } from './settings.js';

const PAGE_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

export interface DirectUploadApplication {
  readonly app: NestExpressApplication;
  /** The address of the page. */
  readonly url: string;
}

/** The application, listening, and its page allowed to put into the bucket. */
export async function startDirectUpload(): Promise<DirectUploadApplication> {
  const { host, port } = readSettings();
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['warn', 'error', 'fatal'] });
  try {
    app.disable('x-powered-by');
    app.enableShutdownHooks();
    // known when the storage is open
    let bucket = '';
    app.useStaticAssets(PAGE_FOLDER, {
      setHeaders: (response: ServerResponse) => {
        response.setHeader('Content-Security-Policy', pagePolicy(bucket));
        response.setHeader('X-Content-Type-Options', 'nosniff');
        response.setHeader('Referrer-Policy', 'no-referrer');
        response.setHeader('Cache-Control', 'no-cache');
      },
    });
    const server: Server = app.getHttpServer();
    // Node gives a whole request 300 seconds; a client that sends nothing is ended by `idleTimeout` instead.
    server.requestTimeout = 0;
    await app.init();
    bucket = new URL(await app.get(Storage, { strict: false }).url('any')).origin;
    await app.listen(port, host);
    const url = new URL(await app.getUrl());
    const local = new URL(url);
    local.hostname = 'localhost';
    const setup = new BucketSetup();
    await setup.allow([url.origin, local.origin]);
    setup.close();
    return { app, url: url.origin };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The page needs its own files, and to send to the bucket. */
function pagePolicy(bucket: string): string {
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${bucket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
}
