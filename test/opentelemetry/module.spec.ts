import { channel } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Module,
  Post,
  UploadedFile,
  UseInterceptors,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  getStorageToken,
  InjectStorage,
  MemoryStorage,
  Storage,
  storedFile,
  StorageFileInterceptor,
  StorageModule,
  STORAGE_OPERATIONS,
  type StoredUpload,
} from 'nestjs-storages';
import { StorageInstrumentation, StorageOpenTelemetryModule } from 'nestjs-storages/opentelemetry';
import { Telemetry } from './telemetry.js';

const telemetry = new Telemetry();
const started: INestApplication[] = [];

beforeAll(() => {
  telemetry.registerGlobally();
});
afterAll(() => {
  Telemetry.unregister();
});
beforeEach(() => {
  telemetry.reset();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((app) => app.close()));
});

@Controller('files')
class FilesController {
  constructor(@InjectStorage('view') private readonly view: Storage) {}

  @Post()
  @UseInterceptors(StorageFileInterceptor('file', { storage: 'view' }))
  async upload(@UploadedFile() file: StoredUpload): Promise<string> {
    await this.view.info(file.key);
    return file.key;
  }

  @Get()
  get(): unknown {
    return storedFile(this.view, 'note.txt');
  }
}

@Module({
  imports: [StorageModule.forFeature([{ name: 'view', storage: 'files', prefix: 'view/' }])],
  controllers: [FilesController],
})
class FilesModule {}

async function start(...imports: NonNullable<ModuleMetadata['imports']>): Promise<INestApplication> {
  @Module({ imports: [StorageModule.forRoot({ storages: { files: new MemoryStorage() } }), FilesModule, ...imports] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  // what the instrumentation of the HTTP server does
  app.use((request: { method: string; url: string }, response: { once: Server['once'] }, next: () => void) => {
    const span = trace.getTracer('http').startSpan(`${request.method} ${request.url}`);
    response.once('close', () => {
      span.end();
    });
    context.with(trace.setSpan(context.active(), span), next);
  });
  started.push(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

function addressOf(app: INestApplication): string {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return `http://127.0.0.1:${port}/files`;
}

const upload = (app: INestApplication): Promise<Response> => {
  const body = new FormData();
  body.append('file', new Blob(['from a client']), 'note.txt');
  return fetch(addressOf(app), { method: 'POST', body });
};

/** The server's span ends once the client has all of the answer. */
async function serverSpan(name: string): Promise<void> {
  while (!telemetry.names.includes(name)) await new Promise((resolve) => setImmediate(resolve));
}

describe('StorageOpenTelemetryModule', () => {
  it('puts the spans of an upload below that of its request, the view above its storage', async () => {
    const app = await start(StorageOpenTelemetryModule.forRoot());
    expect((await upload(app)).status).toBe(201);
    await serverSpan('POST /files');
    for (const step of ['stage', 'commit', 'info']) {
      expect(telemetry.lineage(`${step} files`)).toBe(`${step} files < ${step} view < POST /files`);
    }
    await app.close();
  });

  it('puts the span of a download below that of its request', async () => {
    const app = await start(StorageOpenTelemetryModule.forRoot({ reads: true }));
    await app.get<Storage>(getStorageToken('view')).put('note.txt', 'hello');
    telemetry.reset();
    expect(await (await fetch(addressOf(app))).text()).toBe('hello');
    await serverSpan('GET /files');
    expect(telemetry.lineage('get files')).toBe('get files < get view < GET /files');
    expect(telemetry.lineage('read view')).toBe('read view < get view < GET /files');
  });

  it('listens from the start of the application to its end', async () => {
    const starts = channel(`tracing:${STORAGE_OPERATIONS}:start`);
    const seen: string[] = [];
    @Module({})
    class EarlyModule {
      constructor(@InjectStorage('files') private readonly files: Storage) {}
      async onModuleInit(): Promise<void> {
        await this.files.exists('a');
        seen.push(...telemetry.names);
      }
    }
    const app = await start(EarlyModule, StorageOpenTelemetryModule.forRoot());
    expect(seen).toEqual(['exists files']);
    await app.close();
    expect(starts.hasSubscribers).toBe(false);
  });

  it('tells once of the calls of two applications, and goes on for the one that stays', async () => {
    const first = await start(StorageOpenTelemetryModule.forRoot());
    const second = await start(
      StorageOpenTelemetryModule.forRoot(),
      StorageOpenTelemetryModule.forRoot({ keys: true }),
    );
    await second.get<Storage>(getStorageToken('files')).put('a', 'x');
    expect(telemetry.names).toEqual(['put files']);
    await first.close();
    await second.get<Storage>(getStorageToken('files')).put('a', 'x');
    expect(telemetry.names).toEqual(['put files', 'put files']);
  });

  it('goes on for an application when another one that is made of the same module ends', async () => {
    const same = StorageOpenTelemetryModule.forRoot();
    const [first, second] = [await start(same), await start(same)];
    await first.close();
    await second.get<Storage>(getStorageToken('files')).put('a', 'x');
    expect(telemetry.names).toEqual(['put files']);
  });

  it('tells spans and metrics to one object that gives both', async () => {
    const own = new Telemetry();
    const { tracerProvider, meterProvider } = own;
    const both = {
      getTracer: tracerProvider.getTracer.bind(tracerProvider),
      getMeter: meterProvider.getMeter.bind(meterProvider),
    };
    const app = await start(StorageOpenTelemetryModule.forRoot({ tracerProvider: both, meterProvider: both }));
    await app.get<Storage>(getStorageToken('files')).put('a', 'x');
    expect(own.names).toEqual(['put files']);
    expect(Object.values(await own.counts('nestjs_storages.operation.duration'))).toEqual([1]);
  });

  it('takes its options from other providers, and providers other than the global ones', async () => {
    const other = new Telemetry();
    const app = await start(
      StorageOpenTelemetryModule.forRootAsync({
        useFactory: (storage: Storage) => ({
          keys: storage instanceof MemoryStorage,
          tracerProvider: other.tracerProvider,
          meterProvider: other.meterProvider,
        }),
        inject: [getStorageToken('files')],
      }),
    );
    await app.get<Storage>(getStorageToken('files')).put('a', 'x');
    expect(other.span('put files').attributes['nestjs_storages.key']).toBe('a');
    expect(telemetry.names).toEqual([]);
    expect(await other.sums('nestjs_storages.io')).toEqual({ 'files write': 1 });
    expect(app.get(StorageInstrumentation).getConfig().enabled).toBe(true);
  });

  it('refuses what is no option and no provider', () => {
    expect(() => StorageOpenTelemetryModule.forRoot({ span: true } as object)).toThrow('has no option "span"');
    expect(() => StorageOpenTelemetryModule.forRoot({ meterProvider: {} } as object)).toThrow(
      'The option "meterProvider" of StorageOpenTelemetryModule must have the method getMeter().',
    );
  });
});
