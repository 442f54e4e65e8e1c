import { byteSpan } from './byte-span.ts';
import { crc32c, joinCrc } from './crc32c.ts';
import type { NewestEntries } from './newest-entries.ts';
import { rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

const bucketName = new TextEncoder().encode('key');

/**
 * HashKV at revision R, above every revision in the file, where C < R was compacted: CRC-32C over `key` and every entry,
 * but for those at or below C that a compaction removes or will remove. Of these stays what a reader at R would see:
 * the newest entry of its key, and no tombstone. Not to be asked where something was compacted and no key is live at R:
 * then etcd leaves out nothing but a tombstone at C, so the answer depends on how far the compaction has come.
 * Source: etcd server/storage/mvcc/hash.go (WriteKeyValue) and key_index.go (keep).
 */
export function kvHash(
  { pages, entries }: SummaryStores,
  leaves: readonly number[],
  compactRevision: number,
  newest: NewestEntries | undefined,
): number {
  let hash = crc32c(byteSpan(bucketName), 0, bucketName.length);
  for (const page of leaves) {
    const chunk = pages.chunkFor(page);
    const row = rowOf(page);
    if (newest === undefined || chunk.firstMain[row]! > compactRevision) {
      hash = joinCrc(hash, chunk.crc[row]!, chunk.dataBytes[row]!);
      continue;
    }
    const first = chunk.detail[row]!;
    for (let entry = first; entry < first + chunk.count[row]!; entry++) {
      if (entries.main(entry) <= compactRevision && !newest.isLive(entries, entry)) continue;
      hash = joinCrc(hash, entries.crc(entry), entries.lengthBytes(entry));
    }
  }
  return hash;
}
