import { compareBytes, describeKey, type ByteSpan } from './byte-span.ts';
import { crc32c } from './crc32c.ts';
import { keepPage } from './kept-pages.ts';
import { defect, pageKind, rowOf } from './page-summaries.ts';
import { elementBytes, maxKeyBytes, pageHeaderBytes, readCount } from './pages.ts';
import type { SummaryStores } from './summary-stores.ts';

/** Stands for a child beyond 32 bits; no page has this id. */
const impossiblePage = 0xffff_ffff;

/** Four keys of the longest kind, with their table. */
const maxReadBytes = 192 * 1024;

/**
 * Summarises a branch page: its children, its first separator, and the CRC of its separators. bbolt always writes the
 * first key of a child as its separator (node.go, spill), so at the end the CRC of the children's first keys must be
 * this one: that checks every separator without keeping any.
 */
export function readBranch(
  { pages, kept }: SummaryStores,
  page: number,
  span: ByteSpan,
  at: number,
  runBytes: number,
): void {
  // Only keys of a thousand bytes and more make a branch page go on beyond what is at hand: names of users or roles.
  const bytesAtHand = Math.min(runBytes, span.bytes.length - at, maxReadBytes);
  const { bytes, view } = span;
  const row = rowOf(page);
  const chunk = pages.chunkFor(page);
  const count = readCount(span, at);
  chunk.kind[row] = pageKind.branch;
  const dataStart = at + pageHeaderBytes + count * elementBytes;
  if (dataStart > at + bytesAtHand) {
    chunk.defect[row] = defect.elementOutOfBounds;
    return;
  }

  const children = new Uint32Array(count);
  let key = dataStart;
  let keyBefore = dataStart;
  for (let i = 0; i < count; i++) {
    const element = at + pageHeaderBytes + i * elementBytes;
    const keyBytes = view.getUint32(element + 4, true);
    if (
      element + view.getUint32(element, true) !== key ||
      keyBytes === 0 ||
      keyBytes > maxKeyBytes ||
      key + keyBytes > at + runBytes
    ) {
      chunk.defect[row] = defect.elementOutOfBounds;
      return;
    }
    if (key + keyBytes > at + bytesAtHand) {
      chunk.defect[row] = defect.tooComplex;
      return;
    }
    if (i > 0 && compareBytes(bytes, keyBefore, key, bytes, key, key + keyBytes) >= 0) {
      chunk.defect[row] = defect.keysUnsorted;
      pages.explain(
        page,
        () => `separator ${describeKey(bytes.subarray(key, key + keyBytes))} is not above the one before it`,
      );
      return;
    }
    children[i] = view.getUint32(element + 12, true) === 0 ? view.getUint32(element + 8, true) : impossiblePage;
    keyBefore = key;
    key += keyBytes;
  }
  chunk.crc[row] = crc32c(span, dataStart, key);
  const firstKeyBytes = count === 0 ? 0 : view.getUint32(at + pageHeaderBytes + 4, true);
  const firstKey = bytes.subarray(dataStart, dataStart + firstKeyBytes);
  const position = keepPage(kept, firstKey, firstKey.subarray(0, 0), new Uint8Array(children.buffer));
  if (position === undefined) chunk.defect[row] = defect.tooComplex;
  else chunk.detail[row] = position;
}
