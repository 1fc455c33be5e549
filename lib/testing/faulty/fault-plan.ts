import { Storage } from '../../contract/index.js';
import {
  Fault,
  type AtByte,
  type AtCall,
  type AtItem,
  type BodyMethod,
  type CallSelection,
  type FaultEffect,
  type FaultPlace,
  type FaultyMethod,
  type ListingMethod,
} from './fault.js';
import { Gate } from './gate.js';

/** What a fault fails with. */
export interface FaultError {
  /** What it fails with. Default: a `ConnectionError`. */
  readonly error?: Error;
}

/** How a test says what is to go wrong, each in one line. */
export abstract class FaultPlan extends Storage {
  readonly #faults = new Set<Fault>();

  /** The call rejects: before the storage has begun, or (`when: 'after'`) when it is done and only the answer is lost. */
  fail(method: FaultyMethod, { error, ...place }: AtCall & FaultError = {}): Fault {
    return this.#add(method, place, { kind: 'fail', error });
  }

  /** Bytes or items break off with an error: a source's while it is stored, an object's while it is read, a listing's. */
  failReading(method: BodyMethod, fault: AtByte & FaultError): Fault;
  failReading(method: ListingMethod, fault: AtItem & FaultError): Fault;
  failReading(method: BodyMethod | ListingMethod, { error, ...place }: (AtByte | AtItem) & FaultError): Fault {
    return this.#add(method, place, { kind: 'fail', error });
  }

  /** Bytes or items end without an error, and too soon. */
  endEarly(method: BodyMethod, place: AtByte): Fault;
  endEarly(method: ListingMethod, place: AtItem): Fault;
  endEarly(method: BodyMethod | ListingMethod, place: AtByte | AtItem): Fault {
    return this.#add(method, place, { kind: 'end' });
  }

  /** The call, or its bytes or items, wait until the gate is released. A signal that fires ends the wait with an `AbortError`. */
  hold(method: BodyMethod, place?: AtCall | AtByte): Gate;
  hold(method: ListingMethod, place?: AtCall | AtItem): Gate;
  hold(method: FaultyMethod, place?: AtCall): Gate;
  hold(method: FaultyMethod, place: FaultPlace = {}): Gate {
    const gate = new Gate();
    this.#add(method, place, { kind: 'hold', gate });
    return gate;
  }

  /** The call, or its bytes or items, never go on, whatever its signal says. */
  hang(method: BodyMethod, place?: AtCall | AtByte): Fault;
  hang(method: ListingMethod, place?: AtCall | AtItem): Fault;
  hang(method: FaultyMethod, place?: AtCall): Fault;
  hang(method: FaultyMethod, place: FaultPlace = {}): Fault {
    return this.#add(method, place, { kind: 'hang' });
  }

  /** The call does not heed its signal: it does its work to the end, and settles as if nothing were once the signal has fired. */
  settleAfterAbort(method: Exclude<FaultyMethod, ListingMethod>, selection: CallSelection = {}): Fault {
    return this.#add(method, { ...selection, when: 'after' }, { kind: 'settle-after-abort' });
  }

  /** Takes every fault away, and releases what is held. */
  clearFaults(): void {
    for (const { effect } of this.#faults) if (effect.kind === 'hold') effect.gate.release();
    this.#faults.clear();
  }

  /** Counts a call, and says what is to go wrong in it. */
  protected select(method: FaultyMethod, key: string | undefined): readonly Fault[] {
    // every fault counts the call, whether or not another one ends it
    return [...this.#faults].filter((fault) => fault.selects(method, key));
  }

  #add(method: FaultyMethod, place: FaultPlace, effect: FaultEffect): Fault {
    const fault = new Fault(method, place, effect);
    this.#faults.add(fault);
    return fault;
  }
}
