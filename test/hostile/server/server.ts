import 'reflect-metadata';
import type { Server } from 'node:http';
import { Module, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { StorageModule } from 'nestjs-storages';
import { waitOfProcess } from '../../thread-time.js';
import { BACKENDS } from './backends.js';
import { nestRoutes } from './nest-routes.js';
import { ProcessWatch } from './process-watch.js';
import type { FromParent, FromServer, Platform, ServerSetup, Vitals } from './protocol.js';
import { libraryRoutes } from './routes.js';
import { HandlerLog, PingController, uploadController } from './upload-controller.js';
import { storeOfBackend, storeOfFolder, type UploadStore } from './upload-store.js';

// A server in a process of its own, so that what an upload does to a process can be seen. Its one argument is a ServerSetup.
const setup = JSON.parse(process.argv[2] ?? '{}') as ServerSetup;
const watch = new ProcessWatch();
const log = new HandlerLog();
let before: readonly string[] = [];
const { store, controllers, imports } = await open(setup);

@Module({ imports, controllers: [...controllers, PingController] })
class AppModule {}

const app = await create(setup.platform, AppModule);
await app.listen(0, '127.0.0.1');
const address = (app.getHttpServer() as Server).address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

process.on('message', (question: FromParent) => {
  void answer(question).then((vitals) => {
    tell({ id: question.id, answer: vitals });
  });
});
process.on('disconnect', () => {
  void store.close().finally(() => process.exit());
});
tell({ ready: { port, secret: store.folder ?? process.cwd() } });

interface Opened {
  readonly store: UploadStore;
  readonly controllers: readonly Type[];
  readonly imports: NonNullable<Parameters<typeof Module>[0]['imports']>;
}

async function open({ library, platform, backend: name }: ServerSetup): Promise<Opened> {
  if (library === 'nest') {
    const store = await storeOfFolder();
    const routes = await nestRoutes(platform, store.folder);
    return { store, controllers: routes.map((route) => uploadController(route, store, log)), imports: [] };
  }
  const backend = await BACKENDS.find((one) => one.name === name)?.create();
  if (backend === undefined) throw new Error(`There is no backend ${name}.`);
  const store = storeOfBackend(backend);
  return {
    store,
    controllers: libraryRoutes().map((route) => uploadController(route, store, log)),
    imports: [StorageModule.forRoot({ storages: { uploads: backend.storage } })],
  };
}

async function create(platform: Platform, module: Type): Promise<INestApplication> {
  const options = { logger: false, abortOnError: false } as const;
  if (platform === 'express') return NestFactory.create(module, options);
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(module, new FastifyAdapter(), options);
}

async function answer(question: FromParent): Promise<Vitals | undefined> {
  switch (question.ask) {
    case 'begin':
      log.kept = [];
      before = await store.leftovers();
      watch.begin();
      return undefined;
    case 'settle':
      return settle(question.within);
    case 'untilHandlerRuns':
      await log.untilRunning();
      return undefined;
  }
}

/** What is removed after an answer, and the ends of connections, are looked for until they have come. */
async function settle(within: number): Promise<Vitals> {
  const begin = performance.now();
  const waited = waitOfProcess(process.pid);
  // without the time for which others had the cores
  const isOver = (): boolean => performance.now() - begin - (waitOfProcess(process.pid) - waited) > within;
  for (;;) {
    await store.remove(log.kept.splice(0));
    const left = (await store.leftovers()).filter((name) => !before.includes(name));
    const seen = watch.seen();
    if ((left.length === 0 && seen.descriptors.length === 0) || isOver()) return { left, ...seen };
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function tell(message: FromServer): void {
  process.send?.(message);
}
