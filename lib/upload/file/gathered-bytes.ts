/** Slices below this are copied together, in bytes: each is an object of about a hundred bytes, however little it carries. */
export const SMALL = 256;

/** The largest piece that small slices are copied into, in bytes. */
const PIECE = 16 * 1024;

/**
 * Bytes as they arrive, in few slices: a client may send one byte a packet, and what waits for the rest would hold a hundred times what
 * was sent.
 */
export class GatheredBytes {
  #slices: Buffer[] = [];
  #size = 0;
  /** What the last slices are copied into, and how much of it they take. */
  #piece: Buffer | undefined;
  #filled = 0;

  get size(): number {
    return this.#size;
  }

  /** How many slices are held. */
  get length(): number {
    return this.#slices.length + (this.#filled > 0 ? 1 : 0);
  }

  add(bytes: Buffer): void {
    this.#size += bytes.length;
    // one that stays alone is not copied
    if (bytes.length >= SMALL || this.length === 0) {
      this.#close();
      this.#slices.push(bytes);
      return;
    }
    const last = this.#filled === 0 ? this.#slices.at(-1) : undefined;
    if (last !== undefined && last.length < SMALL) {
      this.#slices.pop();
      this.#append(last);
    }
    this.#append(bytes);
  }

  /** The slices, in their order. */
  get slices(): readonly Buffer[] {
    if (this.#piece === undefined || this.#filled === 0) return this.#slices;
    return [...this.#slices, this.#piece.subarray(0, this.#filled)];
  }

  /** The slices, in their order. They are held no longer. */
  take(): readonly Buffer[] {
    this.#close();
    const slices = this.#slices;
    this.#slices = [];
    this.#size = 0;
    return slices;
  }

  #append(bytes: Buffer): void {
    if (this.#filled + bytes.length > (this.#piece?.length ?? 0)) this.#grow();
    if (this.#piece !== undefined) this.#filled += bytes.copy(this.#piece, this.#filled);
  }

  /** Makes room for a small slice: a larger piece, or a new one behind one that is large enough. */
  #grow(): void {
    const before = this.#piece;
    // not of Node's pool, whose slabs would stay with what is kept of them
    if (before === undefined) {
      this.#piece = Buffer.allocUnsafeSlow(2 * SMALL);
    } else if (before.length >= PIECE) {
      this.#close();
      this.#piece = Buffer.allocUnsafeSlow(PIECE);
    } else {
      this.#piece = Buffer.allocUnsafeSlow(Math.min(PIECE, before.length * 4));
      before.copy(this.#piece, 0, 0, this.#filled);
    }
  }

  #close(): void {
    if (this.#piece !== undefined && this.#filled > 0) this.#slices.push(this.#piece.subarray(0, this.#filled));
    this.#piece = undefined;
    this.#filled = 0;
  }
}
