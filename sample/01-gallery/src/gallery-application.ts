import { fileURLToPath } from 'node:url';
import type { Server, ServerResponse } from 'node:http';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { SameSiteGuard } from './same-site.guard.js';
import type { Settings } from './settings.js';

const PAGE_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

/** The page needs nothing but its own files, so it may load nothing else; a name that is a script stays a name. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  // the selection is posted into a frame, and comes back as a download
  "form-action 'self'",
  "frame-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** The application, ready to listen. */
export async function createGallery(settings: Settings): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(settings), {
    logger: ['warn', 'error', 'fatal'],
  });
  app.disable('x-powered-by');
  app.useGlobalGuards(new SameSiteGuard());
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  // The keys of a large selection are a large form: the default takes 100 kB and 1,000 fields.
  app.useBodyParser('urlencoded', { extended: false, limit: '2mb', parameterLimit: 10_000 });
  app.useStaticAssets(PAGE_FOLDER, {
    setHeaders: (response: ServerResponse) => {
      response.setHeader('Content-Security-Policy', PAGE_POLICY);
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      response.setHeader('Cache-Control', 'no-cache');
    },
  });
  // On SIGINT and SIGTERM: no new connections, requests in flight may end, then the storage is closed.
  app.enableShutdownHooks();

  const server: Server = app.getHttpServer();
  // Node gives a whole request 300 seconds and then answers 408. 2 GB over a home line take an hour, so there is no limit on the
  // whole; a connection on which nothing moves for two minutes is closed instead (its upload then leaves nothing behind).
  server.requestTimeout = 0;
  server.timeout = 120_000;
  return app;
}
