import { byteSpan, type ByteSpan } from './byte-span.ts';

const chunkBits = 20;
const chunkBytes = 1 << chunkBits;
/** Eight children of every page of an 8 GiB database; fake branch pages in values can ask for more. */
const budgetBytes = 64 << 20;

/**
 * The few bytes of pages that the walk needs again: children of branch pages, first and last keys, whole pages of
 * buckets. Append only. A piece is named by its position, which fits 32 bits.
 */
export class KeptBytes {
  readonly #chunks: ByteSpan[] = [];
  #used = chunkBytes;

  /** Room for `size` bytes and its position; undefined beyond the budget. */
  allocate(size: number): { readonly position: number; readonly piece: ByteSpan } | undefined {
    if (size > chunkBytes) return undefined;
    if (this.#used + size > chunkBytes) {
      if ((this.#chunks.length + 1) * chunkBytes > budgetBytes) return undefined;
      this.#chunks.push(byteSpan(new Uint8Array(chunkBytes)));
      this.#used = 0;
    }
    const position = (this.#chunks.length - 1) * chunkBytes + this.#used;
    this.#used += size;
    return { position, piece: this.#slice(position, size) };
  }

  /** The bytes from `position` to the end of their chunk. */
  from(position: number): ByteSpan {
    return this.#slice(position, chunkBytes - (position & (chunkBytes - 1)));
  }

  #slice(position: number, size: number): ByteSpan {
    const offset = position & (chunkBytes - 1);
    return byteSpan(this.#chunks[position >>> chunkBits]!.bytes.subarray(offset, offset + size));
  }
}
