import type { Gate } from './gate.js';

/** The methods of a storage, and the two steps that end a staged file. `open` is the connection at start-up, where a storage has one. */
export type FaultyMethod =
  | 'open'
  | 'put'
  | 'stage'
  | 'commit'
  | 'abort'
  | 'get'
  | 'getBytes'
  | 'info'
  | 'exists'
  | 'delete'
  | 'deleteMany'
  | 'deletePrefix'
  | 'list'
  | 'listEntries'
  | 'copy'
  | 'move'
  | 'url'
  | 'uploadUrl'
  | 'close';

/** The methods through which bytes flow: of `put` and `stage` the source is meant, of the others what is read. */
export type BodyMethod = 'put' | 'stage' | 'get' | 'getBytes';

export type ListingMethod = 'list' | 'listEntries';

/** Which calls of a method are meant. */
export interface CallSelection {
  /** Only the nth call, from 1 on, counted from the moment the fault is set. Default: every call. */
  readonly on?: number;
  /** Only calls with this key (as it is given); others are not counted. Default: any key. */
  readonly key?: string;
}

/** At the call itself. A listing's call is its first step. */
export interface AtCall extends CallSelection {
  /** `after`: the storage has done its work, and only the answer is affected. Default `before`: it has not begun. */
  readonly when?: 'before' | 'after';
}

export interface AtByte extends CallSelection {
  /** So many bytes pass first. Does nothing where there are fewer. */
  readonly afterBytes: number;
}

export interface AtItem extends CallSelection {
  /** So many items pass first. Does nothing where there are fewer. */
  readonly afterItems: number;
}

export type FaultEffect =
  | { readonly kind: 'fail'; readonly error: Error | undefined }
  | { readonly kind: 'hold'; readonly gate: Gate }
  | { readonly kind: 'hang' }
  | { readonly kind: 'end' }
  | { readonly kind: 'settle-after-abort' };

export type FaultPlace = AtCall | AtByte | AtItem;

/** One thing that is to go wrong. */
export class Fault {
  readonly method: FaultyMethod;
  readonly effect: FaultEffect;
  /** How many bytes or items pass first; undefined: it is about the call. */
  readonly after: number | undefined;
  readonly when: 'before' | 'after';
  readonly #on: number | undefined;
  readonly #key: string | undefined;
  #calls = 0;
  #hits = 0;

  constructor(method: FaultyMethod, place: FaultPlace, effect: FaultEffect) {
    this.method = method;
    this.effect = effect;
    this.#on = position('on', place.on, 1);
    this.#key = place.key;
    this.after =
      'afterBytes' in place
        ? position('afterBytes', place.afterBytes, 0)
        : 'afterItems' in place
          ? position('afterItems', place.afterItems, 0)
          : undefined;
    this.when = 'when' in place && place.when === 'after' ? 'after' : 'before';
  }

  /** How often it has happened. */
  get hits(): number {
    return this.#hits;
  }

  /** Counts a call, and says whether it is one that is meant. */
  selects(method: FaultyMethod, key: string | undefined): boolean {
    if (method !== this.method || (this.#key !== undefined && key !== this.#key)) return false;
    this.#calls++;
    return this.#on === undefined || this.#calls === this.#on;
  }

  hit(): void {
    this.#hits++;
  }
}

function position(name: string, value: number | undefined, least: number): number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
    throw new RangeError(`FaultyStorage: ${name} must be a whole number of at least ${least}.`);
  }
  return value;
}
