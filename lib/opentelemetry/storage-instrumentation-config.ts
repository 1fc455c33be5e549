import { ConfigurationError } from '../contract/index.js';

/** What is told of the calls of storages. */
export interface StorageTelemetryOptions {
  /** A span for each call. Default true. */
  readonly spans?: boolean | undefined;
  /** Durations, bytes, and what is in flight. Default true. */
  readonly metrics?: boolean | undefined;
  /** Whether spans hold keys, also those in the messages of errors. Default false: a key may be a user's own word. Metrics never have them. */
  readonly keys?: boolean | undefined;
  /** A span `read` below that of each `get`, from the time the stream is there until it closes. Default false. */
  readonly reads?: boolean | undefined;
}

/** What {@link StorageInstrumentation} takes. */
export interface StorageInstrumentationConfig extends StorageTelemetryOptions {
  /** Whether it is enabled at once, as OpenTelemetry's own instrumentations are. Default true. */
  enabled?: boolean;
}

export interface Settings {
  readonly spans: boolean;
  readonly metrics: boolean;
  readonly keys: boolean;
  readonly reads: boolean;
}

const DEFAULTS: Settings = { spans: true, metrics: true, keys: false, reads: false };

/** @throws ConfigurationError that names the option, before anything listens: a misspelt `keys` must not show or hide what was not meant */
export function settingsOf(options: StorageTelemetryOptions, beside: readonly string[]): Settings {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new ConfigurationError('The options of the OpenTelemetry instrumentation must be an object.');
  }
  const settings: { -readonly [Name in keyof Settings]: boolean } = { ...DEFAULTS };
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (beside.includes(name)) continue;
    if (!isSetting(name)) {
      const known = [...Object.keys(DEFAULTS), ...beside].join(', ');
      throw new ConfigurationError(`The OpenTelemetry instrumentation has no option "${name}"; it has ${known}.`);
    }
    if (value === undefined) continue;
    if (typeof value !== 'boolean') {
      throw new ConfigurationError(`The option "${name}" of the OpenTelemetry instrumentation must be true or false.`);
    }
    settings[name] = value;
  }
  return settings;
}

function isSetting(name: string): name is keyof Settings {
  return Object.hasOwn(DEFAULTS, name);
}
