import { byteSpan, compareBytes, type ByteSpan } from './byte-span.ts';
import { keptPage } from './kept-pages.ts';
import { tombstoneKeyBytes, writeRevisionKey } from './mvcc.ts';
import { pageKind, pageMark, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/** First and last keys of summarised pages. Ask only of pages that have a key and no defect. */
export class BoundaryKeys {
  readonly #stores: SummaryStores;
  readonly #scratch: ByteSpan = byteSpan(new Uint8Array(tombstoneKeyBytes));

  constructor(stores: SummaryStores) {
    this.#stores = stores;
  }

  /** Valid until the next call. */
  first(page: number): ByteSpan {
    const chunk = this.#stores.pages.chunkFor(page);
    const row = rowOf(page);
    if (chunk.kind[row] !== pageKind.leafOfRevisions)
      return byteSpan(keptPage(this.#stores.kept, chunk.detail[row]!).firstKey);
    const isTombstone = (chunk.marks[row]! & pageMark.firstIsTombstone) !== 0;
    return this.#revision(chunk.firstMain[row]!, chunk.firstSub[row]!, isTombstone);
  }

  #last(page: number): ByteSpan {
    const chunk = this.#stores.pages.chunkFor(page);
    const row = rowOf(page);
    if (chunk.kind[row] !== pageKind.leafOfRevisions)
      return byteSpan(keptPage(this.#stores.kept, chunk.detail[row]!).lastKey);
    const isTombstone = (chunk.marks[row]! & pageMark.lastIsTombstone) !== 0;
    return this.#revision(chunk.lastMain[row]!, chunk.lastSub[row]!, isTombstone);
  }

  /** Whether every key of leaf page `before` is below every key of leaf page `after`. */
  areInOrder(before: number, after: number): boolean {
    const { pages } = this.#stores;
    const a = pages.chunkFor(before);
    const b = pages.chunkFor(after);
    if (a.kind[rowOf(before)] === pageKind.leafOfRevisions && b.kind[rowOf(after)] === pageKind.leafOfRevisions) {
      // Equal revisions, one of them with the tombstone mark, are in order for bbolt but never for etcd.
      const rise = b.firstMain[rowOf(after)]! - a.lastMain[rowOf(before)]!;
      return rise > 0 || (rise === 0 && b.firstSub[rowOf(after)]! > a.lastSub[rowOf(before)]!);
    }
    const last = this.#last(before).bytes.slice();
    const first = this.first(after).bytes;
    return compareBytes(last, 0, last.length, first, 0, first.length) < 0;
  }

  #revision(main: number, sub: number, isTombstone: boolean): ByteSpan {
    const end = writeRevisionKey(this.#scratch, 0, main, sub, isTombstone);
    return end === tombstoneKeyBytes ? this.#scratch : byteSpan(this.#scratch.bytes.subarray(0, end));
  }
}
