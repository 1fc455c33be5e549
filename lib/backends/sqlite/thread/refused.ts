import type { Elsewhere, Refusal } from '../protocol.js';

/** A change that must not happen. Thrown before anything is changed, so that the others of its transaction go on. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** A setting that cannot be meant, or a file that the storage must not use. The message says what to change. */
export class WrongSetting extends Error {
  override readonly name = 'WrongSetting';
}

/** A failure that is about another file than the database: it is the cause. */
export class FailedElsewhere extends Error {
  override readonly name = 'FailedElsewhere';
  readonly elsewhere: Elsewhere;

  constructor(elsewhere: Elsewhere, cause: unknown) {
    super(`failed on ${elsewhere.given}`, { cause });
    this.elsewhere = elsewhere;
  }
}

/** The system refuses the file to this process. */
export class Denied extends Error {
  override readonly name = 'Denied';
}
