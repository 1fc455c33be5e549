import {
  Controller,
  Module,
  Post,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FileSystemStorage, StorageFileInterceptor, StorageFilesInterceptor, StorageModule } from 'nestjs-storages';

type Durability = 'full' | 'fast';

@Controller()
class UploadController {
  @Post('one')
  @UseInterceptors(StorageFileInterceptor('file'))
  one(@UploadedFile() file: { size: number }): number {
    return file.size;
  }

  @Post('many')
  @UseInterceptors(StorageFilesInterceptor('file', 1000))
  many(@UploadedFiles() files: unknown[]): number {
    return files.length;
  }
}

function appModule(root: string, durability: Durability): Type {
  @Module({
    imports: [StorageModule.forRoot({ storages: { uploads: new FileSystemStorage({ root, durability }) } })],
    controllers: [UploadController],
  })
  class AppModule {}
  return AppModule;
}

export function createOnExpress(root: string, durability: Durability): Promise<INestApplication> {
  return NestFactory.create(appModule(root, durability), { logger: ['error'] });
}

export async function createOnFastify(root: string, durability: Durability): Promise<INestApplication> {
  const { fastifyAdapter } = await import('./fastify-adapter.js');
  return NestFactory.create<NestFastifyApplication>(appModule(root, durability), fastifyAdapter(), {
    logger: ['error'],
  });
}
