import type { ByteSpan } from './byte-span.ts';
import { EncryptionProviders } from './encryption-providers.ts';
import type { KeyHash } from './key-hash.ts';
import { KeyPrefixes } from './key-prefixes.ts';
import { KeyValueReader } from './mvcc.ts';

/** Which prefix and which encryption provider an entry has, in 16 bits. */
const labelOf = (prefix: number, provider: number): number => prefix * 16 + provider;
export const prefixOfLabel = (label: number): number => label >>> 4;
export const providerOfLabel = (label: number): number => label & 15;

/** Reads the value of one entry of bucket `key` into plain fields; see `read`. */
export class EntryReader {
  keyHashLow = 0;
  keyHashHigh = 0;
  label = 0;
  /** False where the user key was not at hand as a whole: its hash is of no use. */
  keyHashed = false;
  /** Where the record goes on; the end of the value where all of it was read. */
  restAt = 0;
  /** Whether the record's value began in what was at hand: then only a lease may come behind it. */
  valueBegan = false;
  readonly prefixes = new KeyPrefixes();
  readonly providers = new EncryptionProviders();
  readonly #keyHash: KeyHash;
  readonly #record = new KeyValueReader();

  constructor(keyHash: KeyHash) {
    this.#keyHash = keyHash;
  }

  /** False if span[start, end) holds no key-value record; bytes are at hand up to `available`. */
  read(span: ByteSpan, start: number, available: number, end: number): boolean {
    const record = this.#record;
    this.label = 0;
    this.keyHashLow = 0;
    this.keyHashHigh = 0;
    this.keyHashed = false;
    if (!record.read(span, start, available, end)) return false;
    this.restAt = record.restAt;
    this.valueBegan = record.valueStart >= 0;
    if (record.keyEnd > available) return true;
    // Without a key so far it may come with the rest; etcd writes the key first.
    if (record.keyEnd === record.keyStart && record.restAt < end) return true;
    this.#keyHash.update(span, record.keyStart, record.keyEnd);
    this.keyHashLow = this.#keyHash.low;
    this.keyHashHigh = this.#keyHash.high;
    this.keyHashed = true;
    const prefix = this.prefixes.numberOf(span, record.keyStart, record.keyEnd);
    const valueAtHand = Math.min(record.valueEnd, available);
    this.label = labelOf(prefix, this.providers.numberOf(span, record.valueStart, valueAtHand));
    return true;
  }

  /** Whether span[start, end) is a sound rest of a record whose value went on beyond what was at hand. */
  readRest(span: ByteSpan, start: number, end: number): boolean {
    return this.#record.readRest(span, start, end, end) && this.#record.restAt === end;
  }
}
