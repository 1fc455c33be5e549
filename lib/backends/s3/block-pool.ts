/** Bytes of a block. It is large enough for the allocator to keep it apart from the chunks, whose memory it can then use again. */
export const BLOCK = 1024 * 1024;

/**
 * Memory for the bytes of uploads that is used again and again.
 *
 * A chunk that is kept until its part is acknowledged outlives V8's young generation, and is then freed by a full collection only, which V8 begins when
 * 64 MiB of such memory have come together (`kExternalAllocationSoftLimit`). One that is copied into a block is garbage soon, and freed within the 32 MiB
 * after which V8 looks through its young ones (`AllocateExternalBackingStore`). The copy costs no more than it spares.
 */
export class BlockPool {
  readonly #free: Uint8Array[] = [];
  readonly #most: number;
  #uploads = 0;

  /** @param most bytes that wait to be used again, while uploads are under way */
  constructor(most: number) {
    this.#most = Math.floor(most / BLOCK);
  }

  /** Bytes that wait to be used again. */
  get freeBytes(): number {
    return this.#free.length * BLOCK;
  }

  begin(): void {
    this.#uploads++;
  }

  /** When no upload is under way nothing is kept. */
  end(): void {
    this.#uploads--;
    if (this.#uploads === 0) this.#free.length = 0;
  }

  /** There are never more than have been in use at one time. */
  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
  }

  /** Blocks that nobody reads any more. */
  give(blocks: readonly Uint8Array[]): void {
    if (this.#uploads > 0) this.#free.push(...blocks.slice(0, this.#most - this.#free.length));
  }
}
