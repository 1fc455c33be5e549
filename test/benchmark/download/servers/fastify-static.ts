import fastifyStatic from '@fastify/static';
import { Controller, Get, Module, Param, Res, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

/** Fastify's own way, in a Nest handler. */
export async function create(root: string): Promise<INestApplication> {
  @Controller()
  class FilesController {
    @Get(':name')
    read(@Param('name') name: string, @Res() reply: { sendFile(name: string): unknown }): void {
      reply.sendFile(name);
    }
  }

  @Module({ controllers: [FilesController] })
  class AppModule {}
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: ['error'] });
  await app.register(fastifyStatic, { root, serve: false });
  return app;
}
