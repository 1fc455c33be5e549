/** Bytes that one upload holds, of the budget that all uploads of a storage share. */
export interface Share {
  /** Counts bytes that have come. */
  add(bytes: number): void;
  /** Gives bytes back that have been sent. */
  remove(bytes: number): void;
  /** Whether the upload may take more now. If not, `onRoom` is called once it may. */
  hasRoom(): boolean;
  /** A part is full and on its way: what was taken for it in turn is used up. */
  filled(): void;
  /** What is held now stays until `end`, and nobody waits for it. @returns whether that is allowed: there may be too much of that already */
  keep(): boolean;
  end(): void;
}

/**
 * Bounds what all uploads of a storage hold in memory together.
 *
 * What has come is counted, and whoever holds more when the budget is used up stops reading its source. Uploads that each hold a piece of a
 * part could then wait for each other for ever: the first of those that wait has the turn, and may fill its part from a reserve of one part
 * that nobody else gets. When that part is sent, the next has the turn. What is kept (staged objects that wait for their commit) is
 * limited to half of the rest, so that those in flight always have the other half.
 */
export class BufferBudget {
  readonly #limit: number;
  readonly #keepLimit: number;
  readonly #waiting = new Set<BudgetShare>();
  /** Who may fill a part from the reserve, or has filled one that is not sent yet. While nobody has it nobody waits. */
  #turn: BudgetShare | undefined;
  #turnIsUsed = false;
  #used = 0;
  #kept = 0;

  /** @param reserve bytes of the part that can always be filled */
  constructor(limit: number, reserve: number) {
    this.#limit = limit - reserve;
    this.#keepLimit = this.#limit / 2;
  }

  /** Bytes in memory now. */
  get used(): number {
    return this.#used;
  }

  share(onRoom: () => void): Share {
    return new BudgetShare(
      {
        change: (share, bytes) => {
          this.#used += bytes;
          if (bytes < 0) this.#sent(share);
        },
        hasRoom: (share) => this.#hasRoom(share),
        filled: (share) => {
          if (this.#turn === share) this.#turnIsUsed = true;
        },
        keep: (share) => this.#keep(share),
        end: (share) => {
          this.#waiting.delete(share);
          if (share.kept) this.#kept -= share.held;
          this.#used -= share.held;
          this.#sent(share);
        },
      },
      onRoom,
    );
  }

  #hasRoom(share: BudgetShare): boolean {
    if (this.#used < this.#limit || (this.#turn === share && !this.#turnIsUsed)) return true;
    if (this.#turn !== undefined) {
      this.#waiting.add(share);
      return false;
    }
    this.#turn = share;
    this.#turnIsUsed = false;
    return true;
  }

  #keep(share: BudgetShare): boolean {
    if (this.#kept + share.held > this.#keepLimit) return false;
    this.#kept += share.held;
    this.#waiting.delete(share);
    this.#giveUpTurn(share);
    return true;
  }

  /** After a share has become smaller. */
  #sent(share: BudgetShare): void {
    for (const waiting of this.#waiting) {
      if (this.#used >= this.#limit) break;
      this.#waiting.delete(waiting);
      waiting.onRoom();
    }
    this.#giveUpTurn(share);
  }

  #giveUpTurn(share: BudgetShare): void {
    if (this.#turn !== share) return;
    const [next] = this.#waiting;
    this.#turn = next;
    this.#turnIsUsed = false;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next.onRoom();
  }
}

interface Keeper {
  change(share: BudgetShare, bytes: number): void;
  hasRoom(share: BudgetShare): boolean;
  filled(share: BudgetShare): void;
  keep(share: BudgetShare): boolean;
  end(share: BudgetShare): void;
}

class BudgetShare implements Share {
  held = 0;
  kept = false;
  readonly onRoom: () => void;
  readonly #keeper: Keeper;
  #ended = false;

  constructor(keeper: Keeper, onRoom: () => void) {
    this.#keeper = keeper;
    this.onRoom = onRoom;
  }

  add(bytes: number): void {
    this.held += bytes;
    this.#keeper.change(this, bytes);
  }

  remove(bytes: number): void {
    this.held -= bytes;
    this.#keeper.change(this, -bytes);
  }

  hasRoom(): boolean {
    return this.#keeper.hasRoom(this);
  }

  filled(): void {
    this.#keeper.filled(this);
  }

  keep(): boolean {
    this.kept = this.#keeper.keep(this);
    return this.kept;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#keeper.end(this);
    this.held = 0;
  }
}
