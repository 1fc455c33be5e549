import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { STORAGE_OPERATIONS, type MemoryStorage } from 'nestjs-storages';
import { StorageInstrumentation } from 'nestjs-storages/opentelemetry';
import { median, pairedRatios } from '../measure/statistics.js';
import { medianWithConfidence } from './confidence.js';
import { copies } from './variants.js';

const CALLS = 400;
const WARM_UP = 30;
const ROUNDS = 200;
const DATA = Buffer.alloc(1024, 'x');

const WORKS: Readonly<Record<string, (storage: MemoryStorage) => Promise<unknown>>> = {
  put: (storage) => storage.put('a', DATA),
  getBytes: (storage) => storage.getBytes('a'),
  get: async (storage) => {
    let bytes = 0;
    for await (const chunk of await storage.get('a')) bytes += (chunk as Buffer).length;
    return bytes;
  },
};

/** Takes what ends, and exports nothing: the price of an exporter is its own. */
const DISCARD: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

class SilentReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

function telemetry(options: { readonly spans: boolean; readonly metrics: boolean }): () => void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const instrumentation = new StorageInstrumentation(options);
  instrumentation.setTracerProvider(new BasicTracerProvider({ spanProcessors: [DISCARD] }));
  instrumentation.setMeterProvider(new MeterProvider({ readers: [new SilentReader()] }));
  return () => {
    instrumentation.disable();
    context.disable();
  };
}

/** Who listens; what begins it gives what ends it. */
const LISTENERS: Readonly<Record<string, () => () => void>> = {
  nobody: () => () => undefined,
  'a subscriber that does nothing': () => {
    const name = `tracing:${STORAGE_OPERATIONS}:asyncEnd`;
    const nothing = (): void => undefined;
    subscribe(name, nothing);
    return () => unsubscribe(name, nothing);
  },
  'OpenTelemetry, metrics': () => telemetry({ spans: false, metrics: true }),
  'OpenTelemetry, spans': () => telemetry({ spans: true, metrics: false }),
  'OpenTelemetry, both': () => telemetry({ spans: true, metrics: true }),
};

/** Of the processor, so that a busy machine only widens what the confidence says. */
async function microseconds(
  storage: MemoryStorage,
  work: (storage: MemoryStorage) => Promise<unknown>,
): Promise<number> {
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call++) await work(storage);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

/** The price of telling: each call on the memory storage, 1 KiB, beside the same code without the channel, by turns. Words pick listeners. */
export async function run(words: readonly string[]): Promise<void> {
  const storages = Object.entries(await copies());
  for (const [listener, begin] of Object.entries(LISTENERS)) {
    if (words.length > 0 && !words.some((word) => listener.includes(word))) continue;
    const end = begin();
    for (const [name, work] of Object.entries(WORKS)) await compare(`${name}, heard by ${listener}`, storages, work);
    end();
  }
  await Promise.all(storages.map(([, storage]) => storage.close()));
}

async function compare(
  title: string,
  storages: readonly (readonly [string, MemoryStorage])[],
  work: (storage: MemoryStorage) => Promise<unknown>,
): Promise<void> {
  const times = new Map<string, number[]>(storages.map(([name]) => [name, []]));
  for (const [, storage] of storages) await storage.put('a', DATA);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // each begins as often as the others: what the first one leaves to be collected is not always the second one's to collect
    for (let turn = 0; turn < storages.length; turn++) {
      const [name, storage] = storages[(((round + turn) % storages.length) + storages.length) % storages.length] ?? [];
      if (name === undefined || storage === undefined) continue;
      const time = await microseconds(storage, work);
      if (round >= 0) times.get(name)?.push(time);
    }
  }
  const without = times.get('without') ?? [];
  const ratio = (name: string): string => {
    const { median: middle, low, high } = medianWithConfidence(pairedRatios(times.get(name) ?? [], without));
    return `${percent(middle)} (${percent(low)} to ${percent(high)})`;
  };
  console.log(
    `${title}: ${median(without).toFixed(2)} us without the channel; with it ${ratio('traced')}, a second copy without it ${ratio('control')}`,
  );
}

function percent(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change < 0 ? '' : '+'}${change.toFixed(2)} %`;
}
