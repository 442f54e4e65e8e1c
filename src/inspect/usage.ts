import { maxProviders, type EncryptionProvider } from './encryption-providers.ts';
import { prefixOfLabel, providerOfLabel } from './entry-reader.ts';
import { maxPrefixes } from './key-prefixes.ts';
import type { NewestEntries } from './newest-entries.ts';
import { noEntries, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

export interface EncryptionUse extends EncryptionProvider {
  /** Live keys whose value it encrypts; undefined where the file holds too many entries to tell live ones. */
  readonly keys: number | undefined;
}

export interface PrefixUse {
  /** `/registry/pods/`; `(no prefix)`, `(other)`. */
  readonly prefix: string;
  /** Entries in bucket `key`, older revisions and tombstones too. */
  readonly entries: number;
  /** Bytes of their keys and values. */
  readonly bytes: number;
}

/** The encryption providers that some value names. A restore needs their keys. */
export function encryptionUse(
  { pages, entries, entryReader }: SummaryStores,
  leaves: readonly number[],
  newest: NewestEntries | undefined,
): EncryptionUse[] {
  const keys = new Uint32Array(maxProviders);
  let present = 0;
  for (const page of leaves) {
    const chunk = pages.chunkFor(page);
    const providers = chunk.providers[rowOf(page)]!;
    present |= providers;
    if (newest === undefined || providers <= 1) continue;
    const first = chunk.detail[rowOf(page)]!;
    for (let entry = first; entry < first + chunk.count[rowOf(page)]!; entry++) {
      if (newest.isLive(entries, entry)) keys[providerOfLabel(entries.label(entry))]!++;
    }
  }
  const found: EncryptionUse[] = [];
  for (let number = 1; number < maxProviders; number++) {
    if ((present & (1 << number)) === 0) continue;
    found.push({ ...entryReader.providers.provider(number), keys: newest === undefined ? undefined : keys[number]! });
  }
  return found;
}

/** How many of the largest, and of the most numerous, are named. */
const named = 20;

/** What fills bucket `key`: the prefixes with the most bytes and those with the most entries, largest first. */
export function largestPrefixes(
  { pages, entries, entryReader }: SummaryStores,
  leaves: readonly number[],
): PrefixUse[] {
  const counts = new Float64Array(maxPrefixes);
  const bytes = new Float64Array(maxPrefixes);
  for (const page of leaves) {
    const chunk = pages.chunkFor(page);
    const first = chunk.detail[rowOf(page)]!;
    if (first === noEntries) continue;
    for (let entry = first; entry < first + chunk.count[rowOf(page)]!; entry++) {
      const prefix = prefixOfLabel(entries.label(entry));
      counts[prefix]!++;
      bytes[prefix]! += entries.lengthBytes(entry);
    }
  }
  const numbers = Array.from(counts.keys()).filter((prefix) => counts[prefix]! > 0);
  const byBytes = numbers.toSorted((a, b) => bytes[b]! - bytes[a]!);
  const byCount = new Set(numbers.toSorted((a, b) => counts[b]! - counts[a]!).slice(0, named));
  return byBytes
    .filter((prefix, rank) => rank < named || byCount.has(prefix))
    .map((prefix) => ({
      prefix: entryReader.prefixes.nameOf(prefix),
      entries: counts[prefix]!,
      bytes: bytes[prefix]!,
    }));
}
