import { ConfigurationError } from '../contract/index.js';
import type { CommitMoment, UploadLimits, UploadOptions } from './upload-options.js';
import type { ResolvedLimits } from './upload-rules.js';

const DEFAULT_LIMITS: ResolvedLimits = {
  fieldNameSize: 255,
  fieldSize: 1024 * 1024,
  fields: Infinity,
  fileSize: Infinity,
  files: Infinity,
  parts: 1000,
};

const CHECKS: { readonly [K in keyof UploadOptions]-?: readonly [(value: unknown) => boolean, string] } = {
  storage: [(value) => typeof value === 'string' && value !== '', 'the name of a storage'],
  key: [(value) => typeof value === 'function', 'a function that makes a key'],
  limits: [(value) => typeof value === 'object' && value !== null, 'an object of limits'],
  metadata: [
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    'an object of strings or a function that makes one',
  ],
  overwrite: [(value) => typeof value === 'boolean', 'true or false'],
  required: [(value) => typeof value === 'boolean', 'true or false'],
  commit: [(value) => value === 'beforeHandler' || value === 'afterHandler', "'beforeHandler' or 'afterHandler'"],
};

/** Options without gaps, but for those that have no default. */
export interface ResolvedUploadOptions extends Pick<UploadOptions, 'storage' | 'key' | 'metadata'> {
  readonly limits: ResolvedLimits;
  readonly overwrite: boolean;
  readonly required: boolean;
  readonly commit: CommitMoment;
}

/**
 * What an interceptor says, over the application's defaults. An option or a limit that is `undefined` keeps the default.
 *
 * @throws ConfigurationError that names the option
 */
export function resolveUploadOptions(options: UploadOptions, defaults: UploadOptions = {}): ResolvedUploadOptions {
  checkUploadOptions('upload defaults', defaults);
  checkUploadOptions('upload options', options);
  const merged: UploadOptions = { ...defaults, ...withoutUndefined(options) };
  const overwrite = merged.overwrite ?? false;
  return {
    storage: merged.storage,
    key: merged.key,
    metadata: merged.metadata,
    limits: {
      ...DEFAULT_LIMITS,
      ...withoutUndefined(defaults.limits ?? {}),
      ...withoutUndefined(options.limits ?? {}),
    },
    overwrite,
    required: merged.required ?? false,
    commit: merged.commit ?? (overwrite ? 'afterHandler' : 'beforeHandler'),
  };
}

/** @throws ConfigurationError that names the option */
export function checkUploadOptions(where: string, options: UploadOptions): void {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new ConfigurationError(`The ${where} must be an object.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name)) {
      throw new ConfigurationError(`The ${where} have no ${name}; there are ${Object.keys(CHECKS).join(', ')}.`);
    }
    const [holds, expected] = CHECKS[name as keyof UploadOptions];
    if (value !== undefined && !holds(value)) {
      throw new ConfigurationError(`${name} in the ${where} must be ${expected}.`);
    }
  }
  for (const [name, value] of Object.entries(options.limits ?? {}) as [string, unknown][]) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new ConfigurationError(
        `The limits in the ${where} have no ${name}; there are ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
      );
    }
    if (value !== undefined && value !== Infinity && !(Number.isSafeInteger(value) && Number(value) >= 0)) {
      throw new ConfigurationError(`limits.${name} in the ${where} must be a whole number of at least 0, or Infinity.`);
    }
  }
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends UploadOptions | UploadLimits>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
