/**
 * What a stranger does with `nestjs-storages/terminus` and `nestjs-storages/swagger` of the installed package. `.ci/smoke` compiles it beside
 * `application.ts`, and runs it beside the packages that it needs.
 */
import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { MemoryStorage, StorageFileInterceptor, StorageModule, type StoredUpload } from 'nestjs-storages';
import { ApiStorageFile, StoredUploadDto } from 'nestjs-storages/swagger';
import { StorageHealthIndicator, StorageHealthModule } from 'nestjs-storages/terminus';

@Controller()
class FilesController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly storages: StorageHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.storages.checkAll()]);
  }

  @Post('files')
  @ApiStorageFile({ response: StoredUploadDto })
  @UseInterceptors(StorageFileInterceptor('file'))
  upload(@UploadedFile() file: StoredUpload): StoredUpload {
    return file;
  }
}

@Module({
  imports: [
    StorageModule.forRoot({ storages: { files: new MemoryStorage() } }),
    TerminusModule.forRoot(),
    StorageHealthModule,
  ],
  controllers: [FilesController],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/health`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"files":\{.*"status":"up"/);
  const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  assert.ok(JSON.stringify(paths['/files']?.post?.requestBody).includes('"format":"binary"'));
  assert.ok(paths['/files']?.post?.responses['413']);
  await app.close();
}

main().then(
  () => {
    console.log('checked and described');
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
