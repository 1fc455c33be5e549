import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';
import { STORAGE_OPERATIONS, type TracedOperation } from '../contract/index.js';
import type { OperationMeasure, OperationMetrics } from './operation-metrics.js';
import type { OperationSpan, OperationSpans } from './operation-spans.js';
import type { Settings } from './storage-instrumentation-config.js';
import { watchReading } from './watch-reading.js';

const STARTED = `tracing:${STORAGE_OPERATIONS}:start`;
const SETTLED = `tracing:${STORAGE_OPERATIONS}:asyncEnd`;

interface Recorded {
  readonly settings: Settings;
  readonly span: OperationSpan | undefined;
  readonly measure: OperationMeasure | undefined;
}

type Carrier = TracedOperation & Record<symbol, Recorded | undefined>;

/** Listens from the time it is made until it is stopped, and then to the end of each call that began meanwhile: no span stays open, no gauge stays up. */
export class Recording {
  readonly #spans: OperationSpans;
  readonly #metrics: OperationMetrics;
  readonly #settings: () => Settings;
  /** The field of a call that says what was begun for it here: it goes with the call, also with a listing that its reader forgets. */
  readonly #slot = Symbol('recorded');
  #inFlight = 0;
  #stopped = false;

  constructor(spans: OperationSpans, metrics: OperationMetrics, settings: () => Settings) {
    this.#spans = spans;
    this.#metrics = metrics;
    this.#settings = settings;
    subscribe(STARTED, this.#onStart);
    subscribe(SETTLED, this.#onSettled);
  }

  stop(): void {
    this.#stopped = true;
    unsubscribe(STARTED, this.#onStart);
    this.#leaveWhenIdle();
  }

  readonly #onStart = (message: unknown): void => {
    if (!isTracedOperation(message)) return;
    const settings = this.#settings();
    const span = settings.spans ? this.#spans.start(message, settings) : undefined;
    const measure = settings.metrics ? this.#metrics.start(message) : undefined;
    if (span === undefined && measure === undefined) return;
    (message as Carrier)[this.#slot] = { settings, span, measure };
    this.#inFlight++;
  };

  readonly #onSettled = (message: unknown): void => {
    if (!isTracedOperation(message)) return;
    const carrier = message as Carrier;
    const recorded = carrier[this.#slot];
    if (recorded === undefined) return;
    carrier[this.#slot] = undefined;
    this.#inFlight--;
    const { settings, span, measure } = recorded;
    if (span !== undefined) this.#spans.end(span, message, settings);
    if (measure !== undefined) this.#metrics.end(measure, message);
    if (message.operation === 'get' && message.result instanceof Readable) {
      this.#watch(message, message.result, recorded);
    }
    this.#leaveWhenIdle();
  };

  #watch(operation: TracedOperation, stream: Readable, { settings, span, measure }: Recorded): void {
    const reading = settings.reads && span !== undefined ? this.#spans.startReading(operation, span) : undefined;
    if (reading === undefined && measure === undefined) return;
    watchReading(stream, (outcome) => {
      if (reading !== undefined) this.#spans.endReading(reading, outcome, settings);
      if (measure !== undefined) this.#metrics.endReading(measure, operation, outcome);
    });
  }

  #leaveWhenIdle(): void {
    if (this.#stopped && this.#inFlight === 0) unsubscribe(SETTLED, this.#onSettled);
  }
}

/** The channel has a name that anybody may publish to. */
function isTracedOperation(message: unknown): message is TracedOperation {
  if (typeof message !== 'object' || message === null) return false;
  const { storage, operation } = message as { readonly storage?: unknown; readonly operation?: unknown };
  return typeof storage === 'string' && typeof operation === 'string';
}
