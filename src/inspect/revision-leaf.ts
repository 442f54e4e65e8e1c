import { describeKey, type ByteSpan } from './byte-span.ts';
import { crc32c, joinCrc } from './crc32c.ts';
import { isRevisionKey, readMain, readSub, tombstoneKeyBytes } from './mvcc.ts';
import { noEntries, pageKind, pageMark, rowOf } from './page-summaries.ts';
import { elementBytes, pageHeaderBytes, readCount } from './pages.ts';
import { providerOfLabel } from './entry-reader.ts';
import type { SummaryStores } from './summary-stores.ts';

/**
 * Summarises a leaf page as one of bucket `key`. False, with nothing recorded, where it is not one: some key is no
 * revision, or is not above the one before it. The element table was checked: its data lies one after another in the span.
 */
export function readRevisionLeaf(stores: SummaryStores, page: number, span: ByteSpan, at: number): boolean {
  const { pages, entries, entryReader } = stores;
  const { view } = span;
  const count = readCount(span, at);
  const firstEntry = entries.count;
  let data = at + pageHeaderBytes + count * elementBytes;
  const dataStart = data;
  let recorded = true;
  let crc = 0;
  let marks = 0;
  let providers = 0;
  let firstMain = 0;
  let firstSub = 0;
  let lastMain = -1;
  let lastSub = 0;
  for (let i = 0; i < count; i++) {
    const element = at + pageHeaderBytes + i * elementBytes;
    const keyBytes = view.getUint32(element + 8, true);
    const value = data + keyBytes;
    const end = value + view.getUint32(element + 12, true);
    if (view.getUint32(element, true) !== 0 || !isRevisionKey(span, data, keyBytes)) {
      return giveUp(stores, page, firstEntry, i, span, data, keyBytes, 'is no revision');
    }
    const main = readMain(span, data);
    const sub = readSub(span, data);
    if (main < lastMain || (main === lastMain && sub <= lastSub)) {
      return giveUp(stores, page, firstEntry, i, span, data, keyBytes, 'is not above the revision before it');
    }
    const isTombstone = keyBytes === tombstoneKeyBytes;
    if (i === 0) {
      firstMain = main;
      firstSub = sub;
      if (isTombstone) marks |= pageMark.firstIsTombstone;
    }
    if (i === count - 1 && isTombstone) marks |= pageMark.lastIsTombstone;
    lastMain = main;
    lastSub = sub;
    if (!entryReader.read(span, value, end, end)) {
      if ((marks & pageMark.valueInvalid) === 0) {
        pages.explain(
          page,
          () => `the value under ${describeKey(span.bytes.subarray(data, value))} is no key-value record`,
        );
      }
      marks |= pageMark.valueInvalid;
    }
    providers |= 1 << providerOfLabel(entryReader.label);
    if (recorded) {
      const entryCrc = crc32c(span, data, end);
      crc = i === 0 ? entryCrc : joinCrc(crc, entryCrc, end - data);
      recorded = entries.append(
        main,
        entryCrc,
        end - data,
        isTombstone,
        entryReader.keyHashLow,
        entryReader.keyHashHigh,
        entryReader.label,
      );
    }
    data = end;
  }
  if (!recorded) {
    entries.truncate(firstEntry);
    crc = crc32c(span, dataStart, data);
  }
  const row = rowOf(page);
  const chunk = pages.chunkFor(page);
  chunk.kind[row] = pageKind.leafOfRevisions;
  chunk.marks[row] = marks;
  chunk.providers[row] = providers;
  chunk.crc[row] = crc;
  chunk.dataBytes[row] = data - dataStart;
  chunk.firstMain[row] = firstMain;
  chunk.firstSub[row] = firstSub;
  chunk.lastMain[row] = lastMain;
  chunk.lastSub[row] = lastSub;
  chunk.detail[row] = recorded ? firstEntry : noEntries;
  return true;
}

function giveUp(
  { pages, entries }: SummaryStores,
  page: number,
  firstEntry: number,
  element: number,
  span: ByteSpan,
  key: number,
  keyBytes: number,
  why: string,
): false {
  entries.truncate(firstEntry);
  // A page that began like one of bucket `key`: should it be one, then this says what is wrong with it.
  if (element > 0) pages.explain(page, () => `key ${describeKey(span.bytes.subarray(key, key + keyBytes))} ${why}`);
  return false;
}
