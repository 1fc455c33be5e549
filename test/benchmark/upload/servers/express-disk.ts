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
import { FileInterceptor, FilesInterceptor } from '@nestjs/platform-express';

/** Nest's own interceptors with multer's disk storage. */
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

  return NestFactory.create(AppModule, { logger: ['error'] });
}
