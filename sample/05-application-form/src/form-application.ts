import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { readSettings } from './settings.js';

/** The application, ready to listen. Nothing but this line knows the platform. */
export async function createFormApplication(): Promise<INestApplication> {
  const adapter = readSettings().platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['warn', 'error', 'fatal'] });
  app.enableShutdownHooks();
  const server = app.getHttpServer() as Server;
  // Node gives a whole request 300 seconds, too few for 60 MiB over a slow line; one on which nothing moves is ended by `idleTimeout`.
  server.requestTimeout = 0;
  return app;
}
