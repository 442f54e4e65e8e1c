import { byteSpan, compareBytes, describeKey, type ByteSpan } from './byte-span.ts';
import { crcOfRest } from './crc32c.ts';
import { providerOfLabel } from './entry-reader.ts';
import { keepPage } from './kept-pages.ts';
import { isRevisionKey, readMain, readSub, tombstoneKeyBytes } from './mvcc.ts';
import { defect, noEntries, pageKind, pageMark, rowOf } from './page-summaries.ts';
import { elementBytes, pageHeaderBytes, readCount } from './pages.ts';
import type { SummaryStores } from './summary-stores.ts';

/** Of each element this much is looked at: its key and the beginning of its value. */
const headBytes = 1536;
/** What may come after the value of a record: the lease, one tag and a varint of ten bytes. */
export const maxTailBytes = 16;

interface Head {
  readonly key: Uint8Array;
  isRevision: boolean;
  isRecord: boolean;
  /** Where its record goes on after what was looked at, counted from the element's start. */
  readonly restAt: number;
  readonly valueBegan: boolean;
  readonly keyHashed: boolean;
  readonly keyHashLow: number;
  readonly keyHashHigh: number;
  readonly label: number;
}

/** One leaf page with overflow, at most four elements, whose bytes come bit by bit. Positions are in the file. */
export class OverflowRun {
  readonly page: number;
  readonly count: number;
  readonly holdsNoBucket: boolean;
  /** Where each element begins, and where the last one ends. */
  readonly boundaries: number[] = [];
  /** The running CRC at each boundary. */
  readonly runningCrcs: number[] = [];
  readonly #keyBytes: number[] = [];
  readonly #heads: (Head | undefined)[] = [];

  constructor(page: number, window: ByteSpan, at: number, base: number) {
    this.page = page;
    this.count = readCount(window, at);
    let position = base + at + pageHeaderBytes + this.count * elementBytes;
    let flags = 0;
    for (let i = 0; i < this.count; i++) {
      const element = at + pageHeaderBytes + i * elementBytes;
      const keyBytes = window.view.getUint32(element + 8, true);
      flags |= window.view.getUint32(element, true);
      this.boundaries.push(position);
      this.#keyBytes.push(keyBytes);
      position += keyBytes + window.view.getUint32(element + 12, true);
    }
    this.boundaries.push(position);
    this.holdsNoBucket = flags === 0;
  }

  get endAt(): number {
    return this.boundaries[this.count]!;
  }

  #elementBytes(index: number): number {
    return this.boundaries[index + 1]! - this.boundaries[index]!;
  }

  /** How many bytes of an element `readHead` wants to see. */
  headBytesOf(index: number): number {
    return Math.min(headBytes, this.#elementBytes(index));
  }

  readHead(index: number, span: ByteSpan, start: number, available: number, { entryReader }: SummaryStores): void {
    const keyBytes = this.#keyBytes[index]!;
    if (keyBytes > available) return;
    const value = start + keyBytes;
    const isRevision = isRevisionKey(span, start, keyBytes);
    const isRecord = isRevision && entryReader.read(span, value, start + available, start + this.#elementBytes(index));
    this.#heads[index] = {
      key: span.bytes.slice(start, value),
      isRevision,
      isRecord,
      restAt: entryReader.restAt - start,
      valueBegan: entryReader.valueBegan,
      keyHashed: isRecord && entryReader.keyHashed,
      keyHashLow: entryReader.keyHashLow,
      keyHashHigh: entryReader.keyHashHigh,
      label: entryReader.label,
    };
  }

  /** Checks what comes after the value of a record; `bytesFrom` gives the element's last bytes from a position in the file. */
  endElement(index: number, { entryReader }: SummaryStores, bytesFrom: (from: number) => Uint8Array | undefined): void {
    const head = this.#heads[index];
    if (head === undefined || !head.isRecord || head.restAt >= this.#elementBytes(index)) return;
    const isShort = this.#elementBytes(index) - head.restAt <= maxTailBytes;
    // Behind a user key of more than a kilobyte is more than the end of a record, and it is not looked at.
    if (!isShort && !head.valueBegan) return;
    const tail = isShort ? bytesFrom(this.boundaries[index]! + head.restAt) : undefined;
    head.isRecord = tail !== undefined && entryReader.readRest(byteSpan(tail), 0, tail.length);
  }

  /** Writes the page's summary; every boundary was passed. */
  finish(stores: SummaryStores): void {
    const heads = this.#heads.filter((head) => head !== undefined);
    const row = rowOf(this.page);
    const chunk = stores.pages.chunkFor(this.page);
    const dataBytes = this.endAt - this.boundaries[0]!;
    chunk.crc[row] = crcOfRest(this.runningCrcs[0]!, this.runningCrcs[this.count]!, dataBytes);
    chunk.dataBytes[row] = dataBytes;
    const unsorted = heads.find((head, i) => i > 0 && compareKeys(heads[i - 1]!.key, head.key) >= 0);
    if (heads.length < this.count) {
      // A key longer than what is looked at; in etcd only names of users and roles could be so long.
      chunk.defect[row] = defect.tooComplex;
    } else if (unsorted !== undefined) {
      chunk.defect[row] = defect.keysUnsorted;
      stores.pages.explain(this.page, () => `key ${describeKey(unsorted.key)} is not above the key before it`);
    } else {
      chunk.defect[row] = defect.none;
      const misfit = firstMisfit(heads);
      if (misfit === -1) {
        this.#finishRevisions(heads, stores);
        return;
      }
      // A page that began like one of bucket `key`: should it be one, then this says what is wrong with it.
      const { key } = heads[misfit]!;
      if (misfit > 0)
        stores.pages.explain(this.page, () => `key ${describeKey(key)} is no revision above the one before it`);
      this.#finishGeneric(heads, stores);
    }
  }

  #finishRevisions(heads: readonly Head[], { pages, entries }: SummaryStores): void {
    const row = rowOf(this.page);
    const chunk = pages.chunkFor(this.page);
    const first = byteSpan(heads[0]!.key);
    const last = byteSpan(heads[this.count - 1]!.key);
    const firstEntry = entries.count;
    let marks = 0;
    let providers = 0;
    let isRecorded = true;
    heads.forEach((head, i) => {
      const length = this.#elementBytes(i);
      const crc = crcOfRest(this.runningCrcs[i]!, this.runningCrcs[i + 1]!, length);
      isRecorded &&= entries.append(
        readMain(byteSpan(head.key), 0),
        crc,
        length,
        isTombstone(head),
        head.keyHashLow,
        head.keyHashHigh,
        head.label,
      );
      providers |= 1 << providerOfLabel(head.label);
      if (!head.isRecord) {
        marks |= pageMark.valueInvalid;
        pages.explain(this.page, () => `the value under ${describeKey(head.key)} is no key-value record`);
      } else if (!head.keyHashed) marks |= pageMark.keyNotHashed;
    });
    if (!isRecorded) entries.truncate(firstEntry);
    if (isTombstone(heads[0]!)) marks |= pageMark.firstIsTombstone;
    if (isTombstone(heads[this.count - 1]!)) marks |= pageMark.lastIsTombstone;
    chunk.kind[row] = pageKind.leafOfRevisions;
    chunk.marks[row] = marks;
    chunk.providers[row] = providers;
    chunk.firstMain[row] = readMain(first, 0);
    chunk.firstSub[row] = readSub(first, 0);
    chunk.lastMain[row] = readMain(last, 0);
    chunk.lastSub[row] = readSub(last, 0);
    chunk.detail[row] = isRecorded ? firstEntry : noEntries;
  }

  #finishGeneric(heads: readonly Head[], { pages, kept }: SummaryStores): void {
    const row = rowOf(this.page);
    const chunk = pages.chunkFor(this.page);
    const position = keepPage(kept, heads[0]!.key, heads[this.count - 1]!.key, new Uint8Array(0));
    if (position === undefined) chunk.defect[row] = defect.tooComplex;
    else chunk.detail[row] = position;
  }
}

const isTombstone = (head: Head): boolean => head.key.length === tombstoneKeyBytes;

const compareKeys = (a: Uint8Array, b: Uint8Array): number => compareBytes(a, 0, a.length, b, 0, b.length);

/** The first key that is no revision above the one before it; -1 if all are. */
function firstMisfit(heads: readonly Head[]): number {
  return heads.findIndex((head, i) => {
    const before = heads[i - 1];
    if (!head.isRevision || before === undefined) return !head.isRevision;
    const rise = readMain(byteSpan(head.key), 0) - readMain(byteSpan(before.key), 0);
    return rise < 0 || (rise === 0 && readSub(byteSpan(head.key), 0) <= readSub(byteSpan(before.key), 0));
  });
}
