import { createHash } from 'node:crypto';

export type Bytes = AsyncIterable<Uint8Array>;

/** What stages hand one another: small enough to hold many, large enough that a call for each costs nothing. */
export const blockSizeBytes = 1024 * 1024;

/**
 * The same bytes in blocks of exactly `sizeBytes`, the last one shorter and never empty. A chunk that already is such a
 * block goes through without a copy, so it is good for as long as the chunk is, and neither side may change it.
 */
export async function* regroup(source: Bytes, sizeBytes = blockSizeBytes): AsyncGenerator<Uint8Array, void> {
  let block: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    let offset = 0;
    while (offset < chunk.length) {
      if (filled === 0 && chunk.length - offset >= sizeBytes) {
        yield chunk.subarray(offset, offset + sizeBytes);
        offset += sizeBytes;
        continue;
      }
      block ??= Buffer.allocUnsafeSlow(sizeBytes);
      const piece = chunk.subarray(offset, offset + sizeBytes - filled);
      block.set(piece, filled);
      filled += piece.length;
      offset += piece.length;
      if (filled === sizeBytes) {
        yield block;
        block = undefined;
        filled = 0;
      }
    }
  }
  if (block !== undefined && filled > 0) yield block.subarray(0, filled);
}

/** Counts and hashes what flows through `through`. */
export class Tally {
  sizeBytes = 0;
  readonly #hash = createHash('sha256');
  #digest: string | undefined;

  async *through(source: Bytes): AsyncGenerator<Uint8Array, void> {
    for await (const block of source) {
      this.sizeBytes += block.length;
      this.#hash.update(block);
      yield block;
    }
  }

  /** Lower-case hex. Nothing can be added afterwards. */
  sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }
}
