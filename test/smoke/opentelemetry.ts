/** What a stranger does with `nestjs-storages/opentelemetry` of the installed package. `.ci/smoke` runs it beside the packages that it needs. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { StorageOpenTelemetryModule } from 'nestjs-storages/opentelemetry';

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
const files = new MemoryStorage();

@Module({ imports: [StorageModule.forRoot({ storages: { files } }), StorageOpenTelemetryModule.forRoot()] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  await files.put('a', 'x');
  assert.deepEqual(
    exporter.getFinishedSpans().map(({ name }) => name),
    ['put files'],
  );
  await app.close();
  console.log('told of a put by a span');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
