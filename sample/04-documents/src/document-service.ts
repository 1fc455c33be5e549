import type { Server } from 'node:http';
import { type INestApplication, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import type { Settings } from './settings/settings.js';

/** The longest path of a document, percent-encoded; Fastify's own limit of 100 is for short names. */
const LONGEST_PARAMETER = 3 * 1024;

/** The application, ready to listen. */
export async function createDocumentService(settings: Settings): Promise<INestApplication> {
  const adapter =
    settings.platform === 'fastify'
      ? new FastifyAdapter({ routerOptions: { maxParamLength: LONGEST_PARAMETER } })
      : expressAdapter();
  const app = await NestFactory.create(AppModule.with(settings), adapter, { logger: ['warn', 'error', 'fatal'] });
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  // on SIGINT and SIGTERM: no new connections, requests in flight may end, then the storages are closed
  app.enableShutdownHooks();
  const server = app.getHttpServer() as Server;
  // Node gives a whole request 300 seconds; a client that sends nothing is ended by `idleTimeout` instead.
  server.requestTimeout = 0;
  return app;
}

function expressAdapter(): ExpressAdapter {
  const adapter = new ExpressAdapter();
  adapter.disable('x-powered-by');
  return adapter;
}
