import { Controller, Get, Module, Param, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  FileSystemStorage,
  InjectStorage,
  Storage,
  storedFile,
  StorageModule,
  type StoredFileAnswer,
} from 'nestjs-storages';

@Controller()
class FilesController {
  constructor(@InjectStorage() private readonly files: Storage) {}

  @Get(':name')
  read(@Param('name') name: string): StoredFileAnswer {
    return storedFile(this.files, name);
  }
}

function appModule(root: string): Type {
  @Module({
    imports: [StorageModule.forRoot({ storages: { files: new FileSystemStorage({ root, durability: 'fast' }) } })],
    controllers: [FilesController],
  })
  class AppModule {}
  return AppModule;
}

export function createOnExpress(root: string): Promise<INestApplication> {
  return NestFactory.create(appModule(root), { logger: ['error'] });
}

export function createOnFastify(root: string): Promise<INestApplication> {
  return NestFactory.create(appModule(root), new FastifyAdapter(), { logger: ['error'] });
}
