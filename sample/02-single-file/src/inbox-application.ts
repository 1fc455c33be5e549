import type { Server, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { SameSiteGuard } from './same-site.guard.js';

const PAGE_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

/** The page needs nothing but its own files, so it may load nothing else; a name that is a script stays a name. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The application, ready to listen. */
export async function createInbox(): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['warn', 'error', 'fatal'] });
  app.disable('x-powered-by');
  app.useGlobalGuards(new SameSiteGuard());
  app.useStaticAssets(PAGE_FOLDER, {
    setHeaders: (response: ServerResponse) => {
      response.setHeader('Content-Security-Policy', PAGE_POLICY);
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      response.setHeader('Cache-Control', 'no-cache');
    },
  });
  // On SIGINT and SIGTERM: no new connections, requests in flight may end, then the database is closed, and is one file again.
  app.enableShutdownHooks();
  const server: Server = app.getHttpServer();
  // Node gives a whole request 300 seconds; a client that sends nothing is ended by `idleTimeout` instead.
  server.requestTimeout = 0;
  return app;
}
