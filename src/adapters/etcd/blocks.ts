/** What the stages behind the stream work best with. */
export const blockBytes = 1024 * 1024;

/** Cuts pieces of any length into blocks of 1 MiB, each in memory of its own, at the price of one copy. */
export class BlockAssembler {
  readonly #ready: Uint8Array[] = [];
  #block: Buffer | undefined;
  #filled = 0;

  /** Whole blocks that wait to be taken. */
  get readyCount(): number {
    return this.#ready.length;
  }

  append(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      // Not from the pool that small buffers share: a block is kept, and kept alone.
      this.#block ??= Buffer.allocUnsafeSlow(blockBytes);
      const count = Math.min(piece.length - at, blockBytes - this.#filled);
      this.#block.set(count === piece.length ? piece : piece.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled === blockBytes) this.flush();
    }
  }

  /** Makes what is left a last, shorter block. */
  flush(): void {
    if (this.#block === undefined) return;
    this.#ready.push(this.#block.subarray(0, this.#filled));
    this.#block = undefined;
    this.#filled = 0;
  }

  take(): Uint8Array | undefined {
    return this.#ready.shift();
  }
}
