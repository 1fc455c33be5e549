import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { StorageModule, type Storage } from 'nestjs-storages';
import { FilesController } from './files.controller.js';

export interface SwaggerApplication {
  readonly app: INestApplication;
  readonly document: OpenAPIObject;
  readonly url: string;
}

/** An application whose routes are described, with Swagger UI at `/api`. */
export async function startSwagger(files: Storage, openApi = '3.0.0'): Promise<SwaggerApplication> {
  @Module({ imports: [StorageModule.forRoot({ storages: { files } })], controllers: [FilesController] })
  class SwaggerApplicationModule {}

  const app = await NestFactory.create(SwaggerApplicationModule, { logger: false, abortOnError: false });
  const config = new DocumentBuilder().setTitle('Files').setVersion('1').setOpenAPIVersion(openApi).build();
  const document = SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('api', app, document);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return { app, document, url: `http://127.0.0.1:${port}` };
}
