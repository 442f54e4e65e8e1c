import type { Bucket } from './buckets.ts';
import { describeKey } from './byte-span.ts';
import type { DamageList } from './damage.ts';
import { keptPage } from './kept-pages.ts';
import { pageKind, pageMark, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/**
 * etcd's own rules for bucket `key`: every key a revision, rising without exception, every value a key-value record.
 * bbolt does not know them; an etcd that meets such a page crashes.
 */
export function checkKeyBucket({ pages, kept }: SummaryStores, bucket: Bucket, damages: DamageList): void {
  for (const page of bucket.leaves) {
    const chunk = pages.chunkFor(page);
    const row = rowOf(page);
    const where = `${bucket.label} > page ${page}`;
    if (chunk.kind[row] !== pageKind.leafOfRevisions) {
      damages.add(
        'etcd-layout-invalid',
        where,
        pages.explanationOf(page) ?? `key ${describeKey(keptPage(kept, chunk.detail[row]!).firstKey)} is no revision`,
      );
    } else if ((chunk.marks[row]! & pageMark.valueInvalid) !== 0) {
      damages.add('etcd-layout-invalid', where, pages.explanationOf(page) ?? 'a value is no key-value record');
    }
  }
}
