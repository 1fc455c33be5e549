/**
 * The readers that are open, by the epoch that was known when each began: bytes that were given up in a later epoch may be theirs, those of
 * an earlier one are not. A reader so keeps what it reads without a transaction, and without a word to the database.
 */
export class ReaderPins {
  readonly #open = new Map<number, number>();
  #epoch: number | undefined;
  #onRelease: () => void = () => undefined;

  /** @param callback called when the oldest readers have gone */
  set onRelease(callback: () => void) {
    this.#onRelease = callback;
  }

  /** What the database said was current: whoever begins from now on sees nothing older. */
  know(epoch: number): void {
    this.#epoch = Math.max(this.#epoch ?? 0, epoch);
  }

  /** Before the object is looked up. */
  pin(): () => void {
    const epoch = this.#epoch ?? 0;
    this.#open.set(epoch, (this.#open.get(epoch) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#open.get(epoch) ?? 1) - 1;
      if (left > 0) {
        this.#open.set(epoch, left);
        return;
      }
      this.#open.delete(epoch);
      if (epoch < (this.#epoch ?? 0)) this.#onRelease();
    };
  }

  /** No reader began before this epoch; `undefined` before the database was opened. */
  get safe(): number | undefined {
    if (this.#epoch === undefined) return undefined;
    return Math.min(this.#epoch, ...this.#open.keys());
  }
}
