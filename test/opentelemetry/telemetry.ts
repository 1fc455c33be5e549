import { context, metrics, trace, type HrTime } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, MetricReader, type DataPoint, type Histogram } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

/** Collects when it is asked. */
class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** The real SDK, whose exporters keep in memory what they are given. */
export class Telemetry {
  readonly exporter = new InMemorySpanExporter();
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] });
  readonly #reader = new OnDemandReader();
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] });

  /** As an application's SDK does at its start. */
  registerGlobally(): void {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(this.tracerProvider);
    metrics.setGlobalMeterProvider(this.meterProvider);
  }

  static unregister(): void {
    context.disable();
    trace.disable();
    metrics.disable();
  }

  /** Those that have ended, in the order in which they have. */
  get spans(): ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  get names(): string[] {
    return this.spans.map(({ name }) => name);
  }

  span(name: string): ReadableSpan {
    const found = this.spans.filter((span) => span.name === name);
    const [span] = found;
    if (span === undefined || found.length > 1) {
      throw new Error(`There are ${found.length} spans ${JSON.stringify(name)} among ${this.names.join(', ')}.`);
    }
    return span;
  }

  /** `a < b < c`: the span and those above it. */
  lineage(name: string): string {
    const names: string[] = [];
    let span: ReadableSpan | undefined = this.span(name);
    while (span !== undefined) {
      names.push(span.name);
      const above: string | undefined = span.parentSpanContext?.spanId;
      span = this.spans.find((each) => each.spanContext().spanId === above);
    }
    return names.join(' < ');
  }

  async #points(metric: string): Promise<{ unit: string; points: readonly DataPoint<unknown>[] }> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const found = all.find(({ descriptor }) => descriptor.name === metric);
    return { unit: found?.descriptor.unit ?? '', points: found?.dataPoints ?? [] };
  }

  /** Of a counter: `attributes => value`. */
  async sums(metric: string): Promise<Record<string, number>> {
    const { points } = await this.#points(metric);
    return Object.fromEntries(
      points.map(({ attributes, value }) => [Object.values(attributes).join(' '), Number(value)]),
    );
  }

  /** Of a histogram: `attributes => count`. */
  async counts(metric: string): Promise<Record<string, number>> {
    const { points } = await this.#points(metric);
    return Object.fromEntries(
      points.map(({ attributes, value }) => [Object.values(attributes).join(' '), (value as Histogram).count]),
    );
  }

  async histogram(metric: string): Promise<{ unit: string; boundaries: number[]; sum: number | undefined }> {
    const { unit, points } = await this.#points(metric);
    const value = points[0]?.value as Histogram | undefined;
    return { unit, boundaries: value?.buckets.boundaries ?? [], sum: value?.sum };
  }

  reset(): void {
    this.exporter.reset();
  }
}

export function secondsOf([seconds, nanoseconds]: HrTime): number {
  return seconds + nanoseconds / 1e9;
}
