import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { MemoryStorage, Storage } from 'nestjs-storages';
import { AppModule } from './opentelemetry.js';
import { instrument } from './register-instrumentations.js';
import { currentOperation, followOperations } from './surround.js';

const exporter = new InMemorySpanExporter();
const names = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);

beforeAll(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});
afterAll(() => {
  trace.disable();
});
afterEach(() => {
  exporter.reset();
});

it('tells of the calls of an application that has the module', async () => {
  const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
  await app.init();
  await app.get(Storage).put('a', 'x');
  await app.close();
  expect(names()).toEqual(['put avatars']);
});

it('tells of them where it is registered as other instrumentations are', async () => {
  await using storage = new MemoryStorage({ name: 'avatars' });
  const disable = instrument();
  await storage.put('a', 'x');
  for await (const chunk of await storage.get('a')) expect(String(chunk)).toBe('x');
  disable();
  await storage.put('a', 'x');
  expect(names()).toEqual(['put avatars', 'get avatars', 'read avatars']);
});

it('lets a context of the application reach what a storage does', async () => {
  const stop = followOperations();
  const seen: (string | undefined)[] = [];
  class SeeingStorage extends MemoryStorage {
    protected override _info(...args: Parameters<MemoryStorage['_info']>): ReturnType<MemoryStorage['_info']> {
      seen.push(currentOperation.getStore()?.operation);
      return super._info(...args);
    }
  }
  await using storage = new SeeingStorage();
  await storage.put('a', 'x');
  await storage.info('a');
  expect(seen).toEqual(['info']);
  expect(currentOperation.getStore()).toBeUndefined();
  stop();
  await storage.info('a');
  expect(seen).toEqual(['info', undefined]);
});
