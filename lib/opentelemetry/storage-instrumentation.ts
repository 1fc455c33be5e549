import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { SCOPE_NAME, SCOPE_VERSION } from './names.js';
import { OperationMetrics } from './operation-metrics.js';
import { OperationSpans } from './operation-spans.js';
import { Recording } from './recording.js';
import { settingsOf, type Settings, type StorageInstrumentationConfig } from './storage-instrumentation-config.js';

const BESIDE = ['enabled'];

/**
 * Tells OpenTelemetry of every call of every storage in the process: a span, and metrics. It has the shape of OpenTelemetry's own instrumentations, so that
 * `registerInstrumentations()` and the Node SDK take it, and patches nothing: storages tell of themselves on a channel of node:diagnostics_channel.
 *
 * Enabling twice is enabling once. After `disable()` calls that are in flight are still told to their end. Providers are the global ones unless set.
 *
 * @throws ConfigurationError for an option that there is not, or that is no boolean
 * @example
 * const sdk = new NodeSDK({ traceExporter, instrumentations: [new HttpInstrumentation(), new StorageInstrumentation()] });
 * sdk.start();
 */
export class StorageInstrumentation {
  readonly instrumentationName = SCOPE_NAME;
  readonly instrumentationVersion = SCOPE_VERSION;
  readonly #spans = new OperationSpans();
  readonly #metrics = new OperationMetrics();
  #config: StorageInstrumentationConfig;
  #settings: Settings;
  #recording: Recording | undefined;

  constructor(config: StorageInstrumentationConfig = {}) {
    this.#settings = settingsOf(config, BESIDE);
    this.#config = config;
    if (config.enabled !== false) this.enable();
  }

  enable(): void {
    this.#recording ??= new Recording(this.#spans, this.#metrics, () => this.#settings);
  }

  disable(): void {
    this.#recording?.stop();
    this.#recording = undefined;
  }

  /** For calls that begin from now on. */
  setTracerProvider(provider: TracerProvider): void {
    this.#spans.provider = provider;
  }

  /** For calls that begin from now on. */
  setMeterProvider(provider: MeterProvider): void {
    this.#metrics.provider = provider;
  }

  /** For calls that begin from now on. Does not enable or disable. */
  setConfig(config: StorageInstrumentationConfig): void {
    this.#settings = settingsOf(config, BESIDE);
    this.#config = config;
  }

  /** `enabled` is how it stands now: who registers it again after `disable()` finds it to be enabled. */
  getConfig(): StorageInstrumentationConfig {
    return { ...this.#config, enabled: this.#recording !== undefined };
  }
}
