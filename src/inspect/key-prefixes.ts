import type { ByteSpan } from './byte-span.ts';

const slash = 0x2f;
const dot = 0x2e;
const maxPrefixBytes = 96;
/** 12 bits of an entry's label; a cluster has a few hundred kinds. */
export const maxPrefixes = 4096;
const other = maxPrefixes - 1;
/** FNV-1a of 32 bits: two of some hundred prefixes share a hash once in 100,000 clusters, and are then counted as one. */
const fnvBasis = 0x811c9dc5;
const fnvPrime = 0x01000193;

/**
 * Numbers for prefixes of user keys, Kubernetes style: `/registry/pods/`, and a segment more after an API group, which
 * has a dot: `/registry/apps.example.com/widgets/`. What comes after the dictionary is full is `(other)`.
 */
export class KeyPrefixes {
  readonly #numbers = new Map<number, number>();
  readonly #names: string[] = [];

  /** The number of the prefix of the key in span[from, to). */
  numberOf({ bytes }: ByteSpan, from: number, to: number): number {
    const limit = Math.min(to, from + maxPrefixBytes);
    let hash = fnvBasis;
    let hashToEnd = hash;
    let end = from;
    let segment = 0;
    let groupHasDot = false;
    for (let at = from; at < limit; at++) {
      const byte = bytes[at]!;
      hash = Math.imul(hash ^ byte, fnvPrime);
      if (byte === dot && segment === 2) groupHasDot = true;
      if (byte !== slash) continue;
      segment++;
      end = at + 1;
      hashToEnd = hash;
      if (segment === 4 || (segment === 3 && !groupHasDot)) break;
    }
    return this.#numberFor(hashToEnd, bytes, from, end);
  }

  nameOf(number: number): string {
    return this.#names[number] ?? '(other)';
  }

  #numberFor(hash: number, bytes: Uint8Array, from: number, end: number): number {
    const known = this.#numbers.get(hash);
    if (known !== undefined) return known;
    if (this.#names.length >= other) return other;
    const number = this.#names.length;
    this.#numbers.set(hash, number);
    this.#names.push(printable(bytes.subarray(from, end)));
    return number;
  }
}

/** Keys are remote bytes: whatever could disturb a terminal becomes a dot. */
function printable(bytes: Uint8Array): string {
  if (bytes.length === 0) return '(no prefix)';
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
}
