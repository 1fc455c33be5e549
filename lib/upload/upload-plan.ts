import { ConfigurationError } from '../contract/index.js';
import { parseAllowedTypes } from './file/allowed-types.js';
import {
  answerFor,
  checkUploadOptions,
  checksumRuleOf,
  completeLimits,
  DEFAULT_CALLBACK_TIMEOUT_MS,
  DEFAULT_IDLE_TIMEOUT_MS,
  dependsOnRequest,
  fieldsIn,
  mergeOptions,
  staticPartOf,
  type StaticFieldOptions,
  type StaticOptions,
} from './resolve-upload-options.js';
import type { UnreadBodies } from './platform/fastify-parsers.js';
import type { RequestContext, UploadContext } from './upload-context.js';
import type { UploadOptions } from './upload-options.js';
import type { FileRule, UploadRules } from './upload-rules.js';
import { storagesNamedIn, type UploadStorage } from './upload-storage.js';

/** Where a request is asked for one of these, it may decide which storage there must be, and what that must be able to do. */
const DECIDE_STORAGE: ReadonlySet<string> = new Set(['storage', 'overwrite', 'fields']);

/** The fields that an interceptor takes files in. */
export type TakenFields = readonly { readonly name: string; readonly maxCount: number }[] | 'any';

export interface PlanOptions {
  /** The interceptor's name, for messages. */
  readonly name: string;
  readonly fields: TakenFields;
  readonly options: UploadOptions;
  readonly defaults: UploadOptions;
  readonly bodies: UnreadBodies;
  /** @throws ConfigurationError that lists the known names */
  readonly storageOf: (name: string | undefined) => UploadStorage;
}

/** What an interceptor does, over the application's defaults: found once, and for each request only where a function has to be asked. */
export class UploadPlan {
  readonly #options: PlanOptions;
  readonly #rules: UploadRules | undefined;

  /** @throws ConfigurationError that names the option */
  constructor(options: PlanOptions) {
    this.#options = options;
    checkUploadOptions('upload defaults', options.defaults);
    const asks = (names?: ReadonlySet<string>): boolean =>
      [options.defaults, options.options].some((each) => dependsOnRequest(each, names));
    if (!asks()) {
      // nothing in them is a function of the request
      this.#rules = this.#build(options.defaults as StaticOptions, options.options as StaticOptions);
    } else if (!asks(DECIDE_STORAGE)) {
      // so that what is wrong whatever a request says does not wait for one
      this.#build(staticPartOf(options.defaults), staticPartOf(options.options));
    } else {
      this.#checkFields(fieldsIn(options.options));
      for (const name of storagesNamedIn(options.defaults)) options.storageOf(name);
    }
  }

  rulesFor(context: RequestContext): UploadRules | Promise<UploadRules> {
    return this.#rules ?? this.#ask(context.forFunctions);
  }

  async #ask(context: UploadContext): Promise<UploadRules> {
    const { name, options, defaults } = this.#options;
    // where a function says it, too, it is itself asked in the usual time
    const milliseconds =
      [options.callbackTimeout, defaults.callbackTimeout].find((each) => typeof each === 'number') ??
      DEFAULT_CALLBACK_TIMEOUT_MS;
    const [byDefault, own] = await Promise.all([
      answerFor('upload defaults', defaults, context, milliseconds),
      answerFor(`options of ${name}`, options, context, milliseconds),
    ]);
    return this.#build(byDefault, own);
  }

  #build(defaults: StaticOptions, own: StaticOptions): UploadRules {
    const { fields } = this.#options;
    const { fields: _defaultFields, ...defaultsOfAll } = defaults;
    const { fields: ownFields, ...ownOfAll } = own;
    const all = mergeOptions<StaticOptions>(defaultsOfAll, ownOfAll);
    const rule = (field: string | undefined, maxCount: number): FileRule => {
      const ofField = field === undefined ? [] : [ofName(defaults.fields, field), ofName(own.fields, field)];
      return this.#ruleOf(mergeOptions<StaticFieldOptions>(all, ...ofField), maxCount);
    };
    this.#checkFields(ownFields);
    // one that takes every field takes those too of which only the application's defaults speak
    const named =
      fields === 'any'
        ? Object.keys({ ...defaults.fields, ...ownFields }).map((name) => ({ name, maxCount: Infinity }))
        : fields;
    const files = new Map(named.map(({ name, maxCount }) => [name, rule(name, maxCount)]));
    const overwrites = [...files.values()].some(({ overwrite }) => overwrite) || all.overwrite === true;
    return {
      limits: completeLimits(all.limits),
      files,
      otherFiles: fields === 'any' ? rule(undefined, Infinity) : undefined,
      commit: all.commit ?? (overwrites ? 'afterHandler' : 'beforeHandler'),
      idleTimeout: all.idleTimeout ?? DEFAULT_IDLE_TIMEOUT_MS,
      onProgress: all.onProgress,
    };
  }

  /** The application's defaults may speak of fields that only other routes have; an interceptor's own options may not. */
  #checkFields(ownFields: Readonly<Record<string, unknown>> = {}): void {
    const { fields, name } = this.#options;
    if (fields === 'any') return;
    const known = fields.map((each) => each.name);
    for (const field of Object.keys(ownFields)) {
      if (known.includes(field)) continue;
      throw new ConfigurationError(
        `fields in the options of ${name} has ${JSON.stringify(field)}, and the interceptor takes files in ` +
          `${known.map((each) => JSON.stringify(each)).join(', ')}.`,
      );
    }
  }

  #ruleOf(options: StaticFieldOptions, maxCount: number): FileRule {
    const { key, metadata, filter, transform, scan, allowedTypes } = options;
    const { fileSize, minFileSize } = completeLimits(options.limits);
    const overwrite = options.overwrite ?? false;
    const checksum = checksumRuleOf(options.checksum);
    if (checksum?.field !== undefined && this.#options.bodies === 'every') {
      throw new ConfigurationError(
        `checksum in the options of ${this.#options.name}, or in the upload defaults, is read from a field of the form, and a raw body has ` +
          'none. Name a header.',
      );
    }
    const target = this.#options.storageOf(options.storage);
    if (key !== undefined && !overwrite && !target.storage.capabilities.createOnly) {
      throw new ConfigurationError(
        `${this.#options.name} makes keys of its own without overwrite, and the storage "${target.storageName}" cannot create ` +
          'without replacing (capabilities.createOnly is false). Set overwrite: true, leave key out, or choose another storage.',
      );
    }
    return {
      ...target,
      key,
      metadata,
      filter,
      transform,
      scan,
      maxCount,
      fileSize,
      minFileSize,
      overwrite,
      required: options.required ?? false,
      allowedTypes:
        allowedTypes === undefined
          ? undefined
          : parseAllowedTypes(`allowedTypes of ${this.#options.name}`, allowedTypes),
      checksum,
      callbackTimeout: options.callbackTimeout ?? DEFAULT_CALLBACK_TIMEOUT_MS,
    };
  }
}

function ofName(fields: StaticOptions['fields'], field: string): StaticFieldOptions | undefined {
  return fields !== undefined && Object.hasOwn(fields, field) ? fields[field] : undefined;
}
