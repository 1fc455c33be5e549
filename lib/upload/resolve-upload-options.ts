import { ConfigurationError } from '../contract/index.js';
import { parseAllowedTypes } from './file/allowed-types.js';
import type { UploadFieldOptions, UploadFileOptions, UploadLimits, UploadOptions } from './upload-options.js';
import { waitFor } from './callback.js';
import type { UploadContext } from './upload-context.js';
import type { ChecksumRule, ResolvedLimits } from './upload-rules.js';

const MIB = 1024 * 1024;

const DEFAULT_LIMITS: Omit<ResolvedLimits, 'fieldsSize'> = {
  fieldNameSize: 255,
  fieldSize: MIB,
  fields: Infinity,
  fieldNestingDepth: 32,
  fieldArrayIndexLimit: 1000,
  fileSize: Infinity,
  minFileSize: 0,
  totalSize: Infinity,
  files: Infinity,
  parts: 1000,
  headerPairs: 100,
};

const DEFAULT_FIELDS_SIZE = 8 * MIB;

export const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Long enough for a virus scanner that is asked about a large file. */
export const DEFAULT_CALLBACK_TIMEOUT_MS = 300_000;

const LIMIT_NAMES: ReadonlySet<string> = new Set([...Object.keys(DEFAULT_LIMITS), 'fieldsSize']);
const FIELD_LIMIT_NAMES: ReadonlySet<string> = new Set(['fileSize', 'minFileSize']);

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const ALGORITHMS: readonly unknown[] = ['sha256', 'md5', 'crc32'];

const TIME: Check = [(value) => typeof value === 'number' && value > 0, 'milliseconds above 0, or Infinity'];

type Check = readonly [holds: (value: unknown) => boolean, expected: string];

/** What an option is once no function gives it any more. */
const CHECKS = {
  storage: [isText, 'the name of a storage'],
  key: [isFunction, 'a function that makes a key'],
  allowedTypes: [
    (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
    "a media type ('image/png', 'image/*'), an extension ('.pdf') or an array of them",
  ],
  limits: [isObject, 'an object of limits'],
  metadata: [(value) => isFunction(value) || isMetadata(value), 'an object of strings or a function that makes one'],
  checksum: [
    (value) => ALGORITHMS.includes(value) || isChecksum(value),
    "'sha256', 'md5', 'crc32' or { algorithm, header or field, required? }, of which `required` needs a header or a field",
  ],
  overwrite: [(value) => typeof value === 'boolean', 'true or false'],
  required: [(value) => typeof value === 'boolean', 'true or false'],
  filter: [isFunction, 'a function that says whether a file is taken'],
  transform: [isFunction, 'a function that gives a stream'],
  scan: [isFunction, 'a function that gives a verdict'],
  fields: [(value) => isObject(value), 'an object of options by field'],
  commit: [(value) => value === 'beforeHandler' || value === 'afterHandler', "'beforeHandler' or 'afterHandler'"],
  onProgress: [isFunction, 'a function'],
  idleTimeout: TIME,
  callbackTimeout: TIME,
} satisfies Record<keyof UploadOptions, Check>;

/** Options that a function of the request may give. */
const PER_REQUEST: ReadonlySet<string> = new Set([
  'storage',
  'limits',
  'allowedTypes',
  'checksum',
  'overwrite',
  'required',
  'fields',
  'commit',
  'idleTimeout',
  'callbackTimeout',
] satisfies (keyof UploadOptions)[]);

/** Those that make no sense for one field of several. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  'fields',
  'commit',
  'onProgress',
  'idleTimeout',
] satisfies (keyof UploadOptions)[]);

/** Of those, the ones that a function may give in the options of a field. */
const FIELD_PER_REQUEST: ReadonlySet<string> = new Set([...PER_REQUEST].filter((name) => !OF_THE_REQUEST.has(name)));

/** Whether a value is what a storage takes for metadata, by its form; what names and values there may be is the storage's to say. */
export function isMetadata(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value as object).every((each) => typeof each === 'string');
}

function isChecksum(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { algorithm, header, field, required, ...unknown } = value as Readonly<Record<string, unknown>>;
  return (
    ALGORITHMS.includes(algorithm) &&
    // a word that is misspelt would verify nothing, and nobody would notice
    Object.keys(unknown).length === 0 &&
    !(required === true && header === undefined && field === undefined) &&
    (header === undefined || isText(header)) &&
    (field === undefined || isText(field) || isFunction(field)) &&
    !(header !== undefined && field !== undefined) &&
    (required === undefined || typeof required === 'boolean')
  );
}

/** Options in which nothing is a function of the request any more. */
type Answered<T> = {
  readonly [K in keyof T]: K extends 'key' | 'metadata' | 'filter' | 'transform' | 'scan' | 'onProgress'
    ? T[K]
    : Exclude<T[K], (context: UploadContext) => unknown>;
};

export type StaticFileOptions = Answered<UploadFileOptions>;
export type StaticFieldOptions = Answered<UploadFieldOptions>;
export type StaticOptions = Omit<Answered<UploadOptions>, 'fields'> & {
  readonly fields?: Readonly<Record<string, StaticFieldOptions>> | undefined;
};

/**
 * @param perRequest the options that a function of the request may still give: none, once it has been asked
 * @throws ConfigurationError that names the option
 */
export function checkUploadOptions(where: string, options: UploadOptions, perRequest = PER_REQUEST): void {
  checkNames(where, options, CHECKS, LIMIT_NAMES, perRequest);
  for (const [field, ofField] of Object.entries<unknown>(fieldsIn(options))) {
    checkNames(`fields.${field} of the ${where}`, ofField, FIELD_CHECKS, FIELD_LIMIT_NAMES, perRequest);
  }
}

/** What options say of single fields, unless a function says it for each request. */
export function fieldsIn({ fields }: Pick<UploadOptions, 'fields'>): Readonly<Record<string, UploadFieldOptions>> {
  return fields === undefined || typeof fields === 'function' ? {} : fields;
}

const FIELD_CHECKS = Object.fromEntries(Object.entries(CHECKS).filter(([name]) => !OF_THE_REQUEST.has(name)));

function checkNames(
  where: string,
  options: unknown,
  checks: Readonly<Record<string, Check>>,
  limitNames: ReadonlySet<string>,
  perRequest: ReadonlySet<string>,
): void {
  if (typeof options !== 'object' || options === null) throw new ConfigurationError(`The ${where} must be an object.`);
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      throw new ConfigurationError(`The ${where} have no ${name}; there are ${Object.keys(checks).join(', ')}.`);
    }
    if (value === undefined || (perRequest.has(name) && isFunction(value))) continue;
    const [holds, expected] = check;
    if (!holds(value)) throw new ConfigurationError(`${name} in the ${where} must be ${expected}.`);
    if (name === 'limits') checkLimits(where, value as object, limitNames);
    if (name === 'allowedTypes') parseAllowedTypes(`allowedTypes in the ${where}`, value as string | readonly string[]);
  }
}

function checkLimits(where: string, limits: object, names: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!names.has(name)) {
      throw new ConfigurationError(`The limits in the ${where} have no ${name}; there are ${[...names].join(', ')}.`);
    }
    if (value !== undefined && value !== Infinity && !(Number.isSafeInteger(value) && Number(value) >= 0)) {
      throw new ConfigurationError(`limits.${name} in the ${where} must be a whole number of at least 0, or Infinity.`);
    }
  }
}

/** Whether an option, or one of these, is a function that each request has to be asked for. */
export function dependsOnRequest(options: UploadOptions, names = PER_REQUEST): boolean {
  const asks = (each: object): boolean =>
    Object.entries(each).some(([name, value]) => names.has(name) && isFunction(value));
  return asks(options) || Object.values(fieldsIn(options)).some(asks);
}

/** What is known of options before any request. */
export function staticPartOf(options: UploadOptions): StaticOptions {
  const known = (each: object): object =>
    Object.fromEntries(
      Object.entries(each).filter(([name, value]: [string, unknown]) => !(PER_REQUEST.has(name) && isFunction(value))),
    );
  const fields = Object.entries(fieldsIn(options)).map(([field, each]) => [field, known(each)] as const);
  return { ...known(options), fields: Object.fromEntries(fields) };
}

/**
 * Asks every function of the request once: also those in the options of the fields that one of them has given.
 *
 * @param milliseconds that each of them may take
 * @throws ConfigurationError for what it gives, as for the same given at once; UploadException 504 for one that does not answer
 */
export async function answerFor(
  where: string,
  options: UploadOptions,
  context: UploadContext,
  milliseconds: number,
): Promise<StaticOptions> {
  const { signal } = context;
  const answered = async (each: object): Promise<Record<string, unknown>> => {
    const values = Object.entries(each).map(async ([option, value]: [string, unknown]) => {
      if (!PER_REQUEST.has(option) || typeof value !== 'function') return [option, value] as const;
      const given = (value as (context: UploadContext) => unknown)(context);
      return [option, await waitFor(given, { option, milliseconds, signal })] as const;
    });
    return Object.fromEntries(await Promise.all(values));
  };
  const all: Record<string, unknown> & { fields?: UploadOptions['fields'] } = await answered(options);
  // a map of fields that a function has given is looked at before it is walked through
  if (typeof options.fields === 'function') checkUploadOptions(where, { fields: all.fields }, FIELD_PER_REQUEST);
  const fields = Object.entries(fieldsIn(all)).map(async ([field, each]) => [field, await answered(each)] as const);
  all.fields = Object.fromEntries(await Promise.all(fields));
  checkUploadOptions(where, all, new Set());
  return all as StaticOptions;
}

/** The later ones over the earlier ones. What is `undefined` keeps what was there; `limits` are merged one by one. */
export function mergeOptions<T extends StaticFieldOptions>(...layers: readonly (T | undefined)[]): T {
  const merged: Record<string, unknown> = {};
  let limits: UploadLimits = {};
  for (const layer of layers) {
    if (layer === undefined) continue;
    Object.assign(merged, withoutUndefined(layer));
    if (layer.limits !== undefined) limits = { ...limits, ...withoutUndefined(layer.limits) };
  }
  return { ...merged, limits } as unknown as T;
}

export function completeLimits(limits: UploadLimits = {}): ResolvedLimits {
  const complete = { ...DEFAULT_LIMITS, ...withoutUndefined(limits) };
  return { fieldsSize: Math.max(DEFAULT_FIELDS_SIZE, complete.fieldSize), ...complete };
}

export function checksumRuleOf(checksum: StaticFileOptions['checksum']): ChecksumRule | undefined {
  if (checksum === undefined) return undefined;
  if (typeof checksum === 'string') return { algorithm: checksum, required: false };
  return { ...checksum, required: checksum.required ?? false };
}

type Defined<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
