import type { ByteSpan } from './byte-span.ts';

/**
 * 64-bit hash of user keys, to tell them apart without keeping them: HalfSipHash-1-3. Keyed, because whoever may write
 * keys could otherwise craft two with one hash and make HashKV look wrong. The key is the checksum of the live meta
 * page, which nobody knows before the snapshot is taken.
 */
export class KeyHash {
  low = 0;
  high = 0;
  readonly #seedLow: number;
  readonly #seedHigh: number;

  constructor(seedLow: number, seedHigh: number) {
    this.#seedLow = seedLow;
    this.#seedHigh = seedHigh;
  }

  /** Leaves the hash of span[from, to) in `low` and `high`, as unsigned numbers. */
  update({ bytes, view }: ByteSpan, from: number, to: number): void {
    const words = (to - from) >>> 2;
    let lastWord = (to - from) << 24;
    for (let at = from + 4 * words, shift = 0; at < to; at++, shift += 8) lastWord |= bytes[at]! << shift;

    let v0 = this.#seedLow;
    let v1 = this.#seedHigh ^ 0xee;
    let v2 = 0x6c796765 ^ this.#seedLow;
    let v3 = 0x74656462 ^ this.#seedHigh;
    // One round for each word and the last one, then three rounds for each half of the result.
    for (let round = 0; round < words + 7; round++) {
      const word = round < words ? view.getInt32(from + 4 * round, true) : round === words ? lastWord : 0;
      if (round === words + 1) v2 ^= 0xee;
      if (round === words + 4) {
        this.low = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.high = (v1 ^ v3) >>> 0;
  }
}
