import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';

interface Trace {
  /** How many of its spans go on. */
  open: number;
  readonly ended: ReadableSpan[];
}

/** Writes a trace when all of it has ended: a line for a span, indented below the one that it belongs to. For a developer's console. */
export class SpanTree implements SpanProcessor {
  readonly #traces = new Map<string, Trace>();

  constructor(private readonly write: (text: string) => void) {}

  onStart(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const trace = this.#traces.get(traceId) ?? { open: 0, ended: [] };
    trace.open++;
    this.#traces.set(traceId, trace);
  }

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const trace = this.#traces.get(traceId);
    if (trace === undefined) return;
    trace.open--;
    trace.ended.push(span);
    if (trace.open > 0) return;
    this.#traces.delete(traceId);
    const ids = new Set(trace.ended.map((each) => each.spanContext().spanId));
    // what begins behind the answer has lost its parent
    const roots = trace.ended.filter(({ parentSpanContext: of }) => of === undefined || !ids.has(of.spanId));
    for (const root of roots) this.write([line(root), ...below(root, trace.ended)].join('\n'));
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.#traces.clear();
    return Promise.resolve();
  }
}

function below(parent: ReadableSpan, spans: readonly ReadableSpan[]): string[] {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent.spanContext().spanId)
    .toSorted((a, b) => milliseconds(a.startTime) - milliseconds(b.startTime))
    .flatMap((span) => [line(span), ...below(span, spans)].map((text) => `  ${text}`));
}

function line({ name, duration, attributes, status }: ReadableSpan): string {
  const told = Object.entries(attributes).map(([key, value]) => `${key}=${String(value)}`);
  const failed = status.code === SpanStatusCode.ERROR ? ' FAILED' : '';
  return `${name} ${milliseconds(duration).toFixed(1)} ms${failed} ${told.join(' ')}`.trimEnd();
}

function milliseconds([seconds, nanoseconds]: ReadableSpan['duration']): number {
  return seconds * 1e3 + nanoseconds / 1e6;
}
