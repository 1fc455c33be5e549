import {
  type DynamicModule,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { StorageOpenTelemetryModule } from 'nestjs-storages/opentelemetry';
import { requestSpan, RequestSpanInterceptor } from './request-span.js';
import { SpanTree } from './span-tree.js';

/**
 * OpenTelemetry's SDK, with a console in place of a collector. An application that is watched in production starts the SDK before Nest, with
 * a `BatchSpanProcessor` and an exporter of its own, and imports `StorageOpenTelemetryModule.forRoot()` alone.
 */
@Module({})
export class TracingModule implements NestModule, OnApplicationShutdown {
  readonly #provider = new BasicTracerProvider({
    spanProcessors: [
      new SpanTree((text) => {
        console.log(text);
      }),
    ],
  });

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(this.#provider);
  }

  static toConsole(): DynamicModule {
    return {
      module: TracingModule,
      // a view is a span of its own: metrics of all three storages would count each byte three times
      imports: [StorageOpenTelemetryModule.forRoot({ metrics: false })],
      providers: [{ provide: APP_INTERCEPTOR, useClass: RequestSpanInterceptor }],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(requestSpan).forRoutes('{*path}');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#provider.shutdown();
    trace.disable();
    context.disable();
  }
}
