import {
  Controller,
  Module,
  Post,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  type INestApplication,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import * as library from 'nestjs-storages';

type Durability = 'full' | 'fast';

const { FileSystemStorage, StorageFileInterceptor, StorageModule } = library;

type FilesInterceptor = (field: string, maxCount: number) => Type<NestInterceptor>;

/** Until the library has one for several files: without it there is no such route, and the bench says so. */
const StorageFilesInterceptor: unknown = Reflect.get(library, 'StorageFilesInterceptor');
const isFilesInterceptor = (value: unknown): value is FilesInterceptor => typeof value === 'function';

@Controller()
class OneController {
  @Post('one')
  @UseInterceptors(StorageFileInterceptor('file'))
  one(@UploadedFile() file: { size: number }): number {
    return file.size;
  }
}

function manyControllers(): Type[] {
  if (!isFilesInterceptor(StorageFilesInterceptor)) return [];
  const Interceptor = StorageFilesInterceptor('file', 1000);

  @Controller()
  class ManyController {
    @Post('many')
    @UseInterceptors(Interceptor)
    many(@UploadedFiles() files: unknown[]): number {
      return files.length;
    }
  }
  return [ManyController];
}

function appModule(root: string, durability: Durability): Type {
  @Module({
    imports: [StorageModule.forRoot({ storages: { uploads: new FileSystemStorage({ root, durability }) } })],
    controllers: [OneController, ...manyControllers()],
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
