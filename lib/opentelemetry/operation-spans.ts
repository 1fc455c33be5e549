import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { TracedOperation } from '../contract/index.js';
import { errorTypeOf, exceptionOf } from './failure.js';
import { ATTRIBUTE, SCOPE_NAME, SCOPE_VERSION } from './names.js';
import { claim } from './once-each.js';
import type { Settings } from './storage-instrumentation-config.js';
import type { Reading } from './watch-reading.js';

/** The span of one call. */
export interface OperationSpan {
  readonly span: Span;
  /** What runs below it has this context. */
  readonly context: Context;
}

/** Makes spans of the calls of storages. */
export class OperationSpans {
  /** `undefined`: whichever is the global one at the time of a call. */
  provider: TracerProvider | undefined;
  #tracer: { readonly provider: TracerProvider; readonly tracer: Tracer } | undefined;

  start(operation: TracedOperation, { keys }: Settings): OperationSpan | undefined {
    const provider = this.provider ?? trace.getTracerProvider();
    if (!claim(operation, behind(provider), 'span')) return undefined;
    const started = this.#start(operation, operation.operation, context.active(), provider);
    if (keys && operation.key !== undefined) started.span.setAttribute(ATTRIBUTE.key, operation.key);
    // a storage of an older version of this package may be told on the same channel
    if (typeof operation.surround === 'function') {
      operation.surround((work) => context.with(started.context, work));
    }
    return started;
  }

  /** The span of reading a stream, below that of the `get` that gave it. */
  startReading(operation: TracedOperation, get: OperationSpan): OperationSpan {
    return this.#start(operation, 'read', get.context, this.provider ?? trace.getTracerProvider());
  }

  end({ span }: OperationSpan, operation: TracedOperation, settings: Settings): void {
    if (span.isRecording()) {
      span.setAttributes(outcomeOf(operation));
      if (operation.error !== undefined) fail(span, operation.error, settings);
    }
    span.end();
  }

  endReading({ span }: OperationSpan, { bytes, complete, error }: Reading, settings: Settings): void {
    if (span.isRecording()) {
      span.setAttributes({ [ATTRIBUTE.bytes]: bytes, [ATTRIBUTE.complete]: complete });
      if (error !== undefined) fail(span, error, settings);
    }
    span.end();
  }

  /**
   * INTERNAL also where the storage is a remote one: what goes over the wire has a CLIENT span of its own below it (the AWS SDK's, the HTTP
   * client's), and two around one request would count it twice.
   */
  #start({ storage }: TracedOperation, name: string, parent: Context, provider: TracerProvider): OperationSpan {
    const attributes: Attributes = { [ATTRIBUTE.storage]: storage, [ATTRIBUTE.operation]: name };
    const span = this.#tracerOf(provider).startSpan(
      `${name} ${storage}`,
      { kind: SpanKind.INTERNAL, attributes },
      parent,
    );
    return { span, context: trace.setSpan(parent, span) };
  }

  #tracerOf(provider: TracerProvider): Tracer {
    if (this.#tracer?.provider !== provider) {
      this.#tracer = { provider, tracer: provider.getTracer(SCOPE_NAME, SCOPE_VERSION) };
    }
    return this.#tracer.tracer;
  }
}

/** The global provider is one that stands for the provider that was registered. */
function behind(provider: TracerProvider): object {
  const { getDelegate } = provider as { readonly getDelegate?: unknown };
  const delegate: unknown = typeof getDelegate === 'function' ? getDelegate.call(provider) : undefined;
  return typeof delegate === 'object' && delegate !== null ? delegate : provider;
}

function outcomeOf({ bytes, items, result }: TracedOperation): Attributes {
  const attributes: Attributes = {};
  if (bytes !== undefined) attributes[ATTRIBUTE.bytes] = bytes;
  if (items !== undefined) attributes[ATTRIBUTE.items] = items;
  const { deleted, failed } = (typeof result === 'object' && result !== null ? result : {}) as {
    readonly deleted?: unknown;
    readonly failed?: unknown;
  };
  if (Array.isArray(deleted)) attributes[ATTRIBUTE.deleted] = deleted.length;
  if (Array.isArray(failed)) attributes[ATTRIBUTE.failed] = failed.length;
  return attributes;
}

/** As https://opentelemetry.io/docs/specs/semconv/general/recording-errors/ has it: whatever the caller gets as an error is one. */
function fail(span: Span, error: Error, { keys }: Settings): void {
  span.setAttribute(ATTRIBUTE.errorType, errorTypeOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR, ...(keys && { message: error.message }) });
  span.recordException(exceptionOf(error, keys));
}
