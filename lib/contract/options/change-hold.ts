/**
 * On the options of a `put`, `stage` or `delete`: who decides when listeners hear of the change, and whether they do. By a symbol, so that a
 * wrapper that hands options on hands on this too. For uploads, which may be taken back after their commit.
 */
export const changeHold: unique symbol = Symbol.for('nestjs-storages:change-hold');

/** Keeps changes back until it is known whether they last. */
export class ChangeHold {
  #held: (() => void)[] | undefined = [];
  #told = false;

  /** One that keeps everything back for ever. */
  static silent(): ChangeHold {
    const hold = new ChangeHold();
    hold.drop();
    return hold;
  }

  /** @param tell called when the change is known to last; at once where it is known already */
  add(tell: () => void): void {
    if (this.#told) tell();
    else this.#held?.push(tell);
  }

  /** What was held is told, in its order, and what comes from now on at once. */
  tell(): void {
    if (this.#held === undefined) return;
    const held = this.#held;
    this.#held = undefined;
    this.#told = true;
    for (const tell of held) tell();
  }

  /** Nobody hears of it, nor of what still comes. */
  drop(): void {
    this.#held = undefined;
  }
}
