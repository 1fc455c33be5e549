import {
  metrics,
  ValueType,
  type Attributes,
  type Counter,
  type Histogram,
  type MeterProvider,
  type UpDownCounter,
} from '@opentelemetry/api';
import type { TracedOperation } from '../contract/index.js';
import { errorTypeOf } from './failure.js';
import { ATTRIBUTE, DURATION_BUCKETS, METRIC, SCOPE_NAME, SCOPE_VERSION } from './names.js';
import { claim } from './once-each.js';
import type { Reading } from './watch-reading.js';

interface Instruments {
  readonly provider: MeterProvider;
  readonly duration: Histogram;
  readonly active: UpDownCounter;
  readonly io: Counter;
}

/** The measuring of one call, by the instruments that it began with. */
export interface OperationMeasure {
  readonly instruments: Instruments;
  /** By performance.now(). */
  readonly startedAt: number;
  readonly attributes: Attributes;
}

/** Measures the calls of storages. Attributes are few: the storage, the operation, and of a failure its type. */
export class OperationMetrics {
  /** `undefined`: whichever is the global one at the time of a call. */
  provider: MeterProvider | undefined;
  #instruments: Instruments | undefined;

  start(operation: TracedOperation): OperationMeasure | undefined {
    const provider = this.provider ?? metrics.getMeterProvider();
    if (!claim(operation, provider, 'measurement')) return undefined;
    const instruments = this.#instrumentsOf(provider);
    const attributes = { [ATTRIBUTE.storage]: operation.storage, [ATTRIBUTE.operation]: operation.operation };
    instruments.active.add(1, attributes);
    return { instruments, startedAt: performance.now(), attributes };
  }

  end({ instruments, startedAt, attributes }: OperationMeasure, operation: TracedOperation): void {
    const { error, bytes } = operation;
    instruments.active.add(-1, attributes);
    instruments.duration.record(
      (performance.now() - startedAt) / 1000,
      error === undefined ? attributes : { ...attributes, [ATTRIBUTE.errorType]: errorTypeOf(error) },
    );
    const direction = directionOf(operation);
    if (direction !== undefined && bytes !== undefined && error === undefined) {
      instruments.io.add(bytes, ioAttributes(operation, direction));
    }
  }

  endReading({ instruments }: OperationMeasure, operation: TracedOperation, { bytes }: Reading): void {
    instruments.io.add(bytes, ioAttributes(operation, 'read'));
  }

  /** No meter stands in for one that comes later, as a tracer does: a provider that is set after the first call is found at the next one. */
  #instrumentsOf(provider: MeterProvider): Instruments {
    if (this.#instruments?.provider === provider) return this.#instruments;
    const meter = provider.getMeter(SCOPE_NAME, SCOPE_VERSION);
    this.#instruments = {
      provider,
      duration: meter.createHistogram(METRIC.duration, {
        description: 'Duration of the calls of storages.',
        unit: 's',
        valueType: ValueType.DOUBLE,
        advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] },
      }),
      active: meter.createUpDownCounter(METRIC.active, {
        description: 'Calls of storages that have not settled.',
        unit: '{operation}',
        valueType: ValueType.INT,
      }),
      io: meter.createCounter(METRIC.io, {
        description: 'Bytes that storages have taken and given.',
        unit: 'By',
        valueType: ValueType.INT,
      }),
    };
    return this.#instruments;
  }
}

/** A commit stores what `stage` has counted, and a copy takes no bytes of the application's. What a `get` gives is counted when it has been read. */
function directionOf({ operation }: TracedOperation): 'read' | 'write' | undefined {
  if (operation === 'put' || operation === 'stage') return 'write';
  return operation === 'getBytes' ? 'read' : undefined;
}

function ioAttributes({ storage }: TracedOperation, direction: 'read' | 'write'): Attributes {
  return { [ATTRIBUTE.storage]: storage, [ATTRIBUTE.direction]: direction };
}
