import { describeKey, type ByteSpan } from './byte-span.ts';
import { crc32c } from './crc32c.ts';
import { isEtcdFact } from './etcd-facts.ts';
import { keepPage } from './kept-pages.ts';
import { firstUnsorted, leafElements } from './leaf-elements.ts';
import { defect, pageKind, rowOf } from './page-summaries.ts';
import { elementBytes, pageHeaderBytes, readCount } from './pages.ts';
import type { SummaryStores } from './summary-stores.ts';

/** Whole pages are kept of a single one only; those that matter are far smaller. */
const maxKeptBytes = 64 * 1024;

/**
 * Summarises a leaf page of any bucket but `key`. It is kept whole where it holds buckets or facts of etcd, because its
 * place in the tree is not known yet. The element table was checked; its data ends at `dataEnd` in the span.
 */
export function readGenericLeaf(
  { pages, kept }: SummaryStores,
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
  let isWanted = false;
  for (const { isBucket, keyStart, valueStart } of leafElements(span, at, count)) {
    last = span.bytes.subarray(keyStart, valueStart);
    if (first.length === 0) first = last;
    isWanted ||= isBucket || isEtcdFact(last);
  }
  const whole = isWanted && dataEnd - at <= maxKeptBytes ? span.bytes.subarray(at, dataEnd) : span.bytes.subarray(0, 0);
  const position = keepPage(kept, first, last, whole);
  if (position === undefined) chunk.defect[row] = defect.tooComplex;
  else chunk.detail[row] = position;
}
