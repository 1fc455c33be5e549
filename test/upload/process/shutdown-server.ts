import 'reflect-metadata';
import { Controller, Module, Post, UploadedFile, UseInterceptors, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FileSystemStorage, StorageFileInterceptor, StorageModule, type StoredUpload } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';

export interface ShutdownServerSetup {
  readonly backend: 'filesystem' | 'sqlite';
  readonly platform: 'express' | 'fastify';
  readonly path: string;
  /** `shutdown.timeout`, in milliseconds: the only timer of so long. It is over when the parent says so, by any message. */
  readonly timeout: number;
}

/** What the server tells: its port, that so many uploads are under way, and that it is closing. */
export type FromShutdownServer = { readonly port: number } | { readonly begun: number } | { readonly closing: true };

// A server in a process of its own that is ended by a signal, as an orchestrator does it.
const { backend, platform, path, timeout } = JSON.parse(process.argv[2] ?? '{}') as ShutdownServerSetup;
const storage =
  backend === 'filesystem'
    ? new FileSystemStorage({ root: path, durability: 'fast' })
    : new SQLiteStorage({ filename: path, durability: 'fast', inlineSize: 1024 });
const tell = (message: FromShutdownServer): void => void process.send?.(message);
let begun = 0;

// how long uploads take to come to their end is the machine's affair, so nothing races with them
const { setTimeout: later } = globalThis;
const heldBack = (call: (...given: unknown[]) => void, milliseconds?: number, ...given: unknown[]): NodeJS.Timeout => {
  if (milliseconds !== timeout) return later(call, milliseconds, ...given);
  process.once('message', () => {
    call(...given);
  });
  return later(() => undefined, milliseconds);
};
globalThis.setTimeout = Object.assign(heldBack, later);

@Controller()
class UploadController {
  @Post('upload')
  @UseInterceptors(
    StorageFileInterceptor('file', {
      key: ({ originalname }) => originalname,
      // asked when the request has come, whatever of its body
      required: () => {
        tell({ begun: ++begun });
        return true;
      },
    }),
  )
  async upload(@UploadedFile() { key }: StoredUpload): Promise<string> {
    // a database that does not answer
    if (key.startsWith('stuck')) await new Promise(() => undefined);
    return key;
  }
}

@Module({
  imports: [StorageModule.forRoot({ storages: { main: storage }, shutdown: { timeout, retryAfter: 3 } })],
  controllers: [UploadController],
})
class AppModule {}

const options = { logger: ['error'], abortOnError: false } as const;
const app: INestApplication =
  platform === 'fastify'
    ? await NestFactory.create(AppModule, new FastifyAdapter(), { ...options, logger: ['error'] })
    : await NestFactory.create(AppModule, { ...options, logger: ['error'] });
app.enableShutdownHooks([], { useProcessExit: true });
// behind Nest's own, which has called the first hooks by the next turn
process.on('SIGTERM', () => {
  setImmediate(() => {
    tell({ closing: true });
  });
});
await app.listen(0, '127.0.0.1');
tell({ port: ((app.getHttpServer() as Server).address() as AddressInfo).port });
