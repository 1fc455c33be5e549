import { Logger } from '@nestjs/common';
import { failureFields, failureText, framesOf } from './failure-fields.js';
import { LogEntry } from './log-entry.js';

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a failure is told. */
interface Told {
  readonly fields?: Fields | undefined;
  readonly failure?: unknown;
  /** What says which file it is: a user's own word, told at `debug` only. */
  readonly key?: string | undefined;
}

/**
 * All that the library logs goes through here, so that one rule holds for it: `error` for what is lost or left behind, `warn` for what is late or will be
 * tried again, `log` for what went right after all, and none of them with a key of a user; `debug` has the keys and the failure as a whole.
 */
export class StorageLogger {
  readonly #logger: Logger;

  constructor(context: string) {
    this.#logger = new Logger(context);
  }

  error(message: string, told: Told = {}): void {
    const { fields, failure } = told;
    const entry = new LogEntry(message, { ...('failure' in told && failureFields(failure)), ...fields });
    const frames = framesOf(failure);
    if (frames === undefined) this.#logger.error(entry);
    else this.#logger.error(entry, frames);
    this.#detail(message, told);
  }

  warn(message: string, told: Told = {}): void {
    const { fields, failure } = told;
    this.#logger.warn(new LogEntry(message, { ...('failure' in told && failureFields(failure)), ...fields }));
    this.#detail(message, told);
  }

  log(message: string, fields: Fields = {}): void {
    this.#logger.log(new LogEntry(message, fields));
  }

  #detail(message: string, told: Told): void {
    const { fields, failure, key } = told;
    if (key === undefined && !('failure' in told)) return;
    const shown = 'failure' in told ? failureText(failure) : undefined;
    this.#logger.debug(new LogEntry(message, { ...fields, key, failure: shown }));
  }
}
