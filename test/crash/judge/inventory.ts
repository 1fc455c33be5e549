import type { Fault } from './faults.js';

/** What a new process has found in a storage. */
export class Inventory {
  readonly objects = new Map<string, string>();
  readonly faults: Fault[] = [];
  readonly #unreadable = new Set<string>();

  found(key: string, version: string): void {
    this.objects.set(key, version);
  }

  /** @param key where it is about an object */
  fault(fault: Fault, key?: string): void {
    this.faults.push(fault);
    if (key !== undefined) this.#unreadable.add(key);
  }

  /** Whether a fault of the object is known already: what it should be says nothing more. */
  isUnreadable(key: string): boolean {
    return this.#unreadable.has(key);
  }
}
