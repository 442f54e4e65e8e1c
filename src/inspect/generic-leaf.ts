import { describeKey, type ByteSpan } from './byte-span.ts';
import { crc32c } from './crc32c.ts';
import { packEtcdFacts } from './etcd-facts.ts';
import { keepPage } from './kept-pages.ts';
import { firstUnsorted, leafElements } from './leaf-elements.ts';
import { defect, pageKind, pageMark, rowOf } from './page-summaries.ts';
import { elementBytes, pageHeaderBytes, readCount } from './pages.ts';
import type { SummaryStores } from './summary-stores.ts';

/**
 * Summarises a leaf page of any bucket but `key`. Buckets and facts of etcd on it are kept, because its place in the tree
 * is not known yet. The element table was checked; its data ends at `dataEnd` in the span.
 */
export function readGenericLeaf(
  { pages, kept, bucketLeaves }: SummaryStores,
  page: number,
  span: ByteSpan,
  at: number,
  dataEnd: number,
): void {
  const row = rowOf(page);
  const chunk = pages.chunkFor(page);
  const count = readCount(span, at);
  const dataStart = at + pageHeaderBytes + count * elementBytes;
  chunk.kind[row] = pageKind.leaf;
  chunk.crc[row] = crc32c(span, dataStart, dataEnd);
  chunk.dataBytes[row] = dataEnd - dataStart;

  const unsorted = firstUnsorted(span, at, count);
  if (unsorted !== undefined) {
    chunk.defect[row] = defect.keysUnsorted;
    const key = span.bytes.subarray(unsorted.keyStart, unsorted.valueStart);
    pages.explain(page, () => `key ${describeKey(key)} is not above the key before it`);
    return;
  }

  let first = span.bytes.subarray(0, 0);
  let last = first;
  let holdsBuckets = false;
  for (const { isBucket, keyStart, valueStart } of leafElements(span, at, count)) {
    last = span.bytes.subarray(keyStart, valueStart);
    if (first.length === 0) first = last;
    holdsBuckets ||= isBucket;
  }
  if (holdsBuckets) chunk.marks[row] = pageMark.holdsBuckets;
  const more = holdsBuckets
    ? bucketLeaves.keep(page, span.bytes.subarray(at, dataEnd))
    : packEtcdFacts(span, at, count);
  const position = more && keepPage(kept, first, last, more);
  if (position === undefined) chunk.defect[row] = defect.tooComplex;
  else chunk.detail[row] = position;
}
