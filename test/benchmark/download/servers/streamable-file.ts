import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Controller, Get, Module, Param, StreamableFile, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

function appModule(root: string): Type {
  @Controller()
  class FilesController {
    /** As Nest's own documentation has it, with the length. */
    @Get(':name')
    async read(@Param('name') name: string): Promise<StreamableFile> {
      const path = join(root, name);
      const { size } = await stat(path);
      return new StreamableFile(createReadStream(path), { length: size });
    }
  }

  @Module({ controllers: [FilesController] })
  class AppModule {}
  return AppModule;
}

export function createOnExpress(root: string): Promise<INestApplication> {
  return NestFactory.create(appModule(root), { logger: ['error'] });
}

export function createOnFastify(root: string): Promise<INestApplication> {
  return NestFactory.create(appModule(root), new FastifyAdapter(), { logger: ['error'] });
}
