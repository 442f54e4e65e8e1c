import { byteSpan, type ByteSpan } from './byte-span.ts';

const chunkBits = 20;
const chunkBytes = 1 << chunkBits;
/** What a file of any size may use; fake branch pages in values can ask for more than its real pages do. */
const baseBytes = 64 << 20;
/**
 * Besides one byte for so many bytes of the file, because free pages hold stale pages that may be as good as any: 205
 * bytes for a page of 4 KiB. The smallest commits of etcd leave two branch pages among four, which need some 180 bytes a
 * page where they are half full; the snapshot of a busy server needed 5.
 */
const fileBytesPerByte = 20;
/** For the pages inside the leaf pages of the root bucket, which come last. */
const inlineBytes = chunkBytes;
/** Positions are 32 bits. */
const maxBytes = 2 ** 32;

/**
 * The few bytes of pages that the walk needs again: children of branch pages, first and last keys, facts of etcd.
 * Append only. A piece is named by its position, which fits 32 bits.
 */
export class KeptBytes {
  readonly #chunks: ByteSpan[] = [];
  #used = chunkBytes;
  #limitBytes = baseBytes;

  /** Room grows with the file; `streamedBytes` of it have passed. */
  allowFor(streamedBytes: number): void {
    this.#limitBytes = Math.min(baseBytes + streamedBytes / fileBytesPerByte, maxBytes - inlineBytes);
  }

  /** Called once, when all of the file has passed. */
  allowForInlinePages(): void {
    this.#limitBytes += inlineBytes;
  }

  /** Room for `size` bytes and its position; undefined beyond the limit. */
  allocate(size: number): { readonly position: number; readonly piece: ByteSpan } | undefined {
    if (size > chunkBytes) return undefined;
    if (this.#used + size > chunkBytes) {
      if ((this.#chunks.length + 1) * chunkBytes > this.#limitBytes) return undefined;
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
