import {
  Controller,
  Module,
  Post,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FileInterceptor, FilesInterceptor } from '@nestjs/platform-fastify/multipart';
import { fastifyAdapter } from './fastify-adapter.js';

/** The interceptors that Nest has for Fastify since 12.1, with its disk storage. */
export function create(root: string): Promise<INestApplication> {
  @Controller()
  class UploadController {
    @Post('one')
    @UseInterceptors(FileInterceptor('file', { dest: root }))
    one(@UploadedFile() file: { size: number }): number {
      return file.size;
    }

    @Post('many')
    @UseInterceptors(FilesInterceptor('file', 1000, { dest: root }))
    many(@UploadedFiles() files: unknown[]): number {
      return files.length;
    }
  }

  @Module({ controllers: [UploadController] })
  class AppModule {}

  return NestFactory.create<NestFastifyApplication>(AppModule, fastifyAdapter(), { logger: ['error'] });
}
