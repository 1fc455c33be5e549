import { channel } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, ScopedStorage, STORAGE_OPERATIONS, type StoredFile } from 'nestjs-storages';
import { StorageInstrumentation, type StorageInstrumentationConfig } from 'nestjs-storages/opentelemetry';
import { Telemetry } from './telemetry.js';

const telemetry = new Telemetry();
const opened: StorageInstrumentation[] = [];
let storage: MemoryStorage;

function instrument(config?: StorageInstrumentationConfig): StorageInstrumentation {
  const instrumentation = new StorageInstrumentation(config);
  opened.push(instrumentation);
  return instrumentation;
}

/** A storage whose work has a span of its own, as the requests of an SDK have. */
class RequestingStorage extends MemoryStorage {
  readonly #request = <T>(name: string, work: () => T): T =>
    trace.getTracer('requests').startActiveSpan(name, (span) => {
      try {
        return work();
      } finally {
        span.end();
      }
    });

  protected override async _put(...args: Parameters<MemoryStorage['_put']>): Promise<StoredFile> {
    await Promise.resolve();
    return this.#request('PUT', () => super._put(...args));
  }

  protected override async *_list(...args: Parameters<MemoryStorage['_list']>): AsyncGenerator<StoredFile> {
    let page = 0;
    for await (const file of super._list(...args)) {
      this.#request(`page ${++page}`, () => undefined);
      yield file;
    }
  }
}

beforeAll(() => {
  telemetry.registerGlobally();
});
afterAll(() => {
  Telemetry.unregister();
});
beforeEach(() => {
  telemetry.reset();
  storage = new MemoryStorage({ name: 'avatars' });
});
afterEach(async () => {
  for (const instrumentation of opened.splice(0)) instrumentation.disable();
  await storage.close();
});

describe('The span of a call', () => {
  it('is internal, is named by operation and storage, and holds bytes and no key', async () => {
    instrument();
    await storage.put('users/ada.png', 'three');
    const span = telemetry.span('put avatars');
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.attributes).toEqual({
      'nestjs_storages.storage': 'avatars',
      'nestjs_storages.operation': 'put',
      'nestjs_storages.bytes': 5,
    });
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span.events).toEqual([]);
    expect(span.instrumentationScope.name).toBe('nestjs-storages');
  });

  it('holds the key where that is asked for', async () => {
    instrument({ keys: true });
    await storage.put('users/ada.png', 'three');
    expect(telemetry.span('put avatars').attributes['nestjs_storages.key']).toBe('users/ada.png');
  });

  it('has the error type, the status and the exception of a failure, without the key that its message quotes', async () => {
    instrument();
    await expect(storage.info('secret-name')).rejects.toThrow('secret-name');
    const { attributes, status, events } = telemetry.span('info avatars');
    expect(attributes['error.type']).toBe('FILE_NOT_FOUND');
    expect(status).toEqual({ code: SpanStatusCode.ERROR });
    expect(events).toMatchObject([{ name: 'exception', attributes: { 'exception.type': 'FileNotFoundError' } }]);
    expect(String(events[0]?.attributes?.['exception.stacktrace'])).toMatch(/^ +at /);
    expect(JSON.stringify([attributes, status, events])).not.toContain('secret-name');
  });

  it('has the message of a failure where keys are asked for', async () => {
    instrument({ keys: true });
    await expect(storage.info('secret-name')).rejects.toThrow('secret-name');
    const { status, events } = telemetry.span('info avatars');
    expect(status.message).toContain('secret-name');
    expect(events[0]?.attributes?.['exception.message']).toContain('secret-name');
  });

  it('keeps a key out that has lines like those of a stack', async () => {
    instrument();
    const failing = new Readable({ read: () => failing.destroy(new Error('gone\n    at secret-place')) });
    await expect(storage.put('a', failing)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await expect(storage.info('a\n    at secret-place')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(JSON.stringify(telemetry.spans.map(({ events, status }) => [events, status]))).not.toContain('secret');
  });

  it('is below the span of its caller, also after a wait, and above what the storage does', async () => {
    instrument();
    await using requesting = new RequestingStorage({ name: 'remote' });
    await trace.getTracer('test').startActiveSpan('POST /avatars', async (span) => {
      await Promise.resolve();
      await requesting.put('a', 'three');
      span.end();
    });
    expect(telemetry.lineage('PUT')).toBe('PUT < put remote < POST /avatars');
  });

  it('leaves the context of its caller as it was', async () => {
    instrument();
    const before = context.active();
    const putting = storage.put('a', 'three');
    expect(context.active()).toBe(before);
    await putting;
    expect(context.active()).toBe(before);
  });

  it('of a view is above that of the storage behind it', async () => {
    instrument();
    await new ScopedStorage(storage, 'below/', { name: 'view' }).put('a', 'three');
    expect(telemetry.lineage('put avatars')).toBe('put avatars < put view');
  });

  it('of a listing is one, from its first step to its end, with the number of items, and above what each step does', async () => {
    instrument();
    await using requesting = new RequestingStorage({ name: 'remote' });
    for (const key of ['a', 'b', 'c']) await requesting.put(key, '');
    telemetry.reset();
    await trace.getTracer('test').startActiveSpan('GET /', async (span) => {
      for await (const file of requesting.list()) expect(file.size).toBe(0);
      for await (const file of requesting.list()) if (file.key === 'b') break;
      span.end();
    });
    const listings = telemetry.spans.filter(({ name }) => name === 'list remote');
    expect(listings.map(({ attributes }) => attributes['nestjs_storages.items'])).toEqual([3, 2]);
    const [first] = listings;
    const third = telemetry.span('page 3');
    expect(third.parentSpanContext?.spanId).toBe(first?.spanContext().spanId);
    expect(first?.parentSpanContext?.spanId).toBe(telemetry.span('GET /').spanContext().spanId);
  });

  it('of a bulk deletion has the numbers of its report', async () => {
    instrument();
    await storage.put('a', 'x');
    await storage.deleteMany(['a', 'b', '\u0000']);
    expect(telemetry.span('deleteMany avatars').attributes).toMatchObject({
      'nestjs_storages.deleted': 2,
      'nestjs_storages.failed': 1,
    });
  });

  it('of a get ends when the stream is there; reading has one of its own where it is asked for', async () => {
    instrument({ reads: true });
    await storage.put('a', Buffer.alloc(300_000));
    const whole = await storage.get('a');
    expect(telemetry.names).toContain('get avatars');
    expect(telemetry.names).not.toContain('read avatars');
    for await (const chunk of whole) expect(chunk).toBeInstanceOf(Buffer);
    expect(telemetry.lineage('read avatars')).toBe('read avatars < get avatars');
    expect(telemetry.span('read avatars').attributes).toMatchObject({
      'nestjs_storages.bytes': 300_000,
      'nestjs_storages.read.complete': true,
    });
    telemetry.reset();
    const left = await storage.get('a');
    const closed = new Promise((resolve) => left.once('close', resolve));
    left.destroy();
    await closed;
    const read = telemetry.span('read avatars');
    expect(read.attributes['nestjs_storages.read.complete']).toBe(false);
    expect(read.status.code).toBe(SpanStatusCode.UNSET);
    telemetry.reset();
    const failed = await storage.get('a');
    const over = new Promise((resolve) => failed.once('close', resolve));
    failed.destroy(new Error('broken'));
    await over;
    expect(telemetry.span('read avatars').attributes['error.type']).toBe('STORAGE_FAILURE');
  });
});

describe('Two instrumentations', () => {
  it('tell a provider once of each call, and of those that begin after the first is disabled', async () => {
    const first = instrument({ keys: true });
    instrument();
    await storage.put('a', 'x');
    first.disable();
    await storage.put('b', 'x');
    expect(telemetry.spans.map(({ attributes }) => attributes['nestjs_storages.key'])).toEqual(['a', undefined]);
  });

  it('tell each of their own providers', async () => {
    const other = new Telemetry();
    instrument();
    instrument({ enabled: false }).setTracerProvider(other.tracerProvider);
    opened[1]?.enable();
    await storage.put('a', 'x');
    expect([telemetry.names, other.names]).toEqual([['put avatars'], ['put avatars']]);
  });

  it('tell once where one is given the provider that the other finds as the global one', async () => {
    instrument();
    instrument().setTracerProvider(telemetry.tracerProvider);
    await storage.put('a', 'x');
    expect(telemetry.names).toEqual(['put avatars']);
  });
});

describe('An instrumentation', () => {
  it('that is enabled twice tells once, and that is disabled tells nothing', async () => {
    const instrumentation = instrument();
    instrumentation.enable();
    await storage.put('a', 'x');
    expect(telemetry.names).toEqual(['put avatars']);
    instrumentation.disable();
    instrumentation.disable();
    await storage.put('a', 'x');
    expect(telemetry.names).toEqual(['put avatars']);
    expect(channel(`tracing:${STORAGE_OPERATIONS}:start`).hasSubscribers).toBe(false);
    expect(channel(`tracing:${STORAGE_OPERATIONS}:asyncEnd`).hasSubscribers).toBe(false);
  });

  it('that is disabled in flight tells what has begun to its end, and leaves the channel then', async () => {
    const instrumentation = instrument();
    const source = new Readable({ read: () => undefined });
    const putting = storage.put('a', source);
    instrumentation.disable();
    const after = storage.put('b', 'x');
    source.push('three');
    source.push(null);
    await Promise.all([putting, after]);
    expect(telemetry.spans.map(({ attributes }) => attributes['nestjs_storages.bytes'])).toEqual([5]);
    expect(channel(`tracing:${STORAGE_OPERATIONS}:asyncEnd`).hasSubscribers).toBe(false);
  });

  it('makes no spans where they are turned off, also when that is decided later', async () => {
    const instrumentation = instrument({ spans: false });
    await storage.put('a', 'x');
    instrumentation.setConfig({ spans: true });
    await storage.info('a');
    expect(telemetry.names).toEqual(['info avatars']);
  });

  it('refuses an option that it does not have, and one of another type', () => {
    expect(() => new StorageInstrumentation({ key: true } as object)).toThrow(
      'has no option "key"; it has spans, metrics, keys, reads, enabled',
    );
    expect(() => new StorageInstrumentation({ keys: 'yes' } as object)).toThrow('"keys" of the OpenTelemetry');
  });

  it('does not mind what others publish on the channel', () => {
    instrument();
    channel(`tracing:${STORAGE_OPERATIONS}:start`).publish('a word');
    channel(`tracing:${STORAGE_OPERATIONS}:asyncEnd`).publish({ storage: 'avatars', operation: 'put' });
    expect(telemetry.spans).toEqual([]);
  });
});
