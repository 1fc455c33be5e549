import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import multipart, { type Multipart } from '@fastify/multipart';
import { Controller, Module, Post, Req, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastifyAdapter } from './fastify-adapter.js';

interface MultipartRequest {
  parts(): AsyncIterable<Multipart>;
}

/** @fastify/multipart as its README uses it: the handler iterates over the parts and pipes each to a file. */
export async function create(root: string): Promise<INestApplication> {
  let written = 0;
  const save = async (request: MultipartRequest): Promise<number> => {
    let files = 0;
    for await (const part of request.parts()) {
      if (part.type !== 'file') continue;
      await pipeline(part.file, createWriteStream(join(root, `file-${written++}`)));
      files++;
    }
    return files;
  };

  @Controller()
  class UploadController {
    @Post('one')
    one(@Req() request: MultipartRequest): Promise<number> {
      return save(request);
    }

    @Post('many')
    many(@Req() request: MultipartRequest): Promise<number> {
      return save(request);
    }
  }

  @Module({ controllers: [UploadController] })
  class AppModule {}

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, fastifyAdapter(), { logger: ['error'] });
  await app.register(multipart);
  return app;
}
