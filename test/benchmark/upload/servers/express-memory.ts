import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

interface InMemory {
  readonly size: number;
  readonly buffer: Buffer;
}

/** Nest's own interceptors with multer's memory storage; the handler writes the files. */
export function create(root: string): Promise<INestApplication> {
  let written = 0;
  const save = ({ buffer }: InMemory): Promise<void> => writeFile(join(root, `file-${written++}`), buffer);

  @Controller()
  class UploadController {
    @Post('one')
    @UseInterceptors(FileInterceptor('file'))
    async one(@UploadedFile() file: InMemory): Promise<number> {
      await save(file);
      return file.size;
    }

    @Post('many')
    @UseInterceptors(FilesInterceptor('file', 1000))
    async many(@UploadedFiles() files: InMemory[]): Promise<number> {
      await Promise.all(files.map(save));
      return files.length;
    }
  }

  @Module({ controllers: [UploadController] })
  class AppModule {}

  return NestFactory.create(AppModule, { logger: ['error'] });
}
