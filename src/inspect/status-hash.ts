import type { Bucket } from './buckets.ts';
import { byteSpan } from './byte-span.ts';
import { crc32c, joinCrc } from './crc32c.ts';
import { rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/**
 * HASH of `etcdutl snapshot status`: CRC-32C over each bucket's name and then its keys and values, in order.
 * Source: etcdutl/snapshot/v3_snapshot.go, Status.
 */
export function statusHash({ pages }: SummaryStores, buckets: readonly Bucket[]): number {
  let hash = 0;
  for (const { name, leaves } of buckets) {
    hash = crc32c(byteSpan(name), 0, name.length, hash);
    for (const page of leaves) {
      const chunk = pages.chunkFor(page);
      hash = joinCrc(hash, chunk.crc[rowOf(page)]!, chunk.dataBytes[rowOf(page)]!);
    }
  }
  return hash;
}

/** Entries of all buckets: what etcdutl up to 3.5 calls total keys. */
export function countEntries({ pages }: SummaryStores, buckets: readonly Bucket[]): number {
  let total = 0;
  for (const { leaves } of buckets) for (const page of leaves) total += pages.chunkFor(page).count[rowOf(page)]!;
  return total;
}
