import { byteSpan, describeKey, type ByteSpan } from './byte-span.ts';
import type { DamageList } from './damage.ts';
import { keptPage } from './kept-pages.ts';
import { endOfLeafData, leafElements, type LeafElement } from './leaf-elements.ts';
import { summariseLeaf } from './page-scan.ts';
import { defect, pageKind, pageMark, rowOf } from './page-summaries.ts';
import {
  bucketHeaderBytes,
  elementBytes,
  pageHeaderBytes,
  pageType,
  readCount,
  readFlags,
  readUint64,
} from './pages.ts';
import type { SummaryStores } from './summary-stores.ts';
import type { TreeWalk } from './tree.ts';

export interface Bucket {
  readonly name: Uint8Array;
  /** For paths and messages: `bucket key`. */
  readonly label: string;
  /** Leaf pages in key order. An inline page has a number behind the last page of the file. */
  readonly leaves: readonly number[];
}

/** Reads the buckets of the root bucket, in the order of their names, and walks each. */
export function readBuckets(
  stores: SummaryStores,
  walk: TreeWalk,
  rootPage: number,
  metaPage: number,
  firstInlinePage: number,
  damages: DamageList,
): Bucket[] {
  const buckets: Bucket[] = [];
  let inlinePage = firstInlinePage;
  for (const leaf of walk.leavesUnder(rootPage, metaPage, 'root bucket')) {
    const span = wholeLeaf(stores, leaf);
    if (span === undefined) {
      damages.add('bucket-invalid', `root bucket > page ${leaf}`, 'it holds no bucket');
      continue;
    }
    for (const element of leafElements(span, 0, readCount(span, 0))) {
      const name = span.bytes.subarray(element.keyStart, element.valueStart);
      const label = `bucket ${bucketName(name)}`;
      const where = `root bucket > page ${leaf} > ${label}`;
      if (!element.isBucket || element.valueEnd - element.valueStart < bucketHeaderBytes) {
        damages.add('bucket-invalid', where, 'the element is no bucket');
        continue;
      }
      const root = readUint64(span, element.valueStart);
      if (root !== 0) {
        buckets.push({ name, label, leaves: walk.leavesUnder(root, leaf, label) });
        continue;
      }
      const leaves = readInlinePage(stores, inlinePage, span, element, where, damages) ? [inlinePage++] : [];
      buckets.push({ name, label, leaves });
    }
  }
  return buckets;
}

/** A leaf page of the root bucket; undefined where none of its elements is a bucket. */
function wholeLeaf({ pages, kept, bucketLeaves }: SummaryStores, page: number): ByteSpan | undefined {
  const chunk = pages.chunkFor(page);
  const holdsBuckets = (chunk.marks[rowOf(page)]! & pageMark.holdsBuckets) !== 0;
  if (chunk.kind[rowOf(page)] !== pageKind.leaf || !holdsBuckets) return undefined;
  const bytes = bucketLeaves.whole(page, keptPage(kept, chunk.detail[rowOf(page)]!).more.bytes);
  return bytes && byteSpan(bytes);
}

/** Summarises the page behind a bucket's header as page number `page`. False where it is empty or damaged. */
function readInlinePage(
  stores: SummaryStores,
  page: number,
  span: ByteSpan,
  element: LeafElement,
  where: string,
  damages: DamageList,
): boolean {
  const at = element.valueStart + bucketHeaderBytes;
  const available = element.valueEnd - at;
  if (available < pageHeaderBytes || readFlags(span, at) !== pageType.leaf) {
    damages.add('page-wrong-type', where, 'its inline page is no leaf page');
    return false;
  }
  const count = readCount(span, at);
  const dataBytes = pageHeaderBytes + count * elementBytes > available ? -1 : endOfLeafData(span, at, count, available);
  if (dataBytes < 0) {
    damages.add('element-out-of-bounds', where, 'an element lies outside its inline page');
    return false;
  }
  if (count === 0) return false;
  const chunk = stores.pages.chunkFor(page);
  chunk.count[rowOf(page)] = count;
  summariseLeaf(stores, page, span, at, at + dataBytes);
  const found = chunk.defect[rowOf(page)];
  if (found === defect.none) return true;
  const isUnsorted = found === defect.keysUnsorted;
  damages.add(
    isUnsorted ? 'keys-unsorted' : 'too-complex',
    where,
    stores.pages.explanationOf(page) ?? 'its inline page can not be read',
  );
  return false;
}

/** Names of etcd's buckets are plain words; others are shown quoted. */
function bucketName(name: Uint8Array): string {
  const shown = describeKey(name);
  return /^"[A-Za-z0-9_]+"$/.test(shown) ? shown.slice(1, -1) : shown;
}
