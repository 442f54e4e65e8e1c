/** What the stages behind the stream work best with. */
export const blockBytes = 1024 * 1024;

/**
 * Cuts pieces of any length into blocks of 1 MiB at the price of one copy. Blocks that are given back are filled again:
 * a database's worth of them, left to the garbage collector, would be most of a backup's memory.
 */
export class BlockAssembler {
  readonly #ready: Uint8Array[] = [];
  readonly #spare: Buffer[] = [];
  #block: Buffer | undefined;
  #filled = 0;

  /** Whole blocks that wait to be taken. */
  get readyCount(): number {
    return this.#ready.length;
  }

  append(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      this.#block ??= this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
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

  /** Nobody reads `block` any more. The last one of a stream may be shorter and is let go. */
  giveBack(block: Uint8Array): void {
    if (block.length === blockBytes) this.#spare.push(Buffer.from(block.buffer, block.byteOffset, blockBytes));
  }
}
