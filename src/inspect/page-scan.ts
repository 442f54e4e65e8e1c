import type { ByteSpan } from './byte-span.ts';
import { readBranch } from './branch-pages.ts';
import { readGenericLeaf } from './generic-leaf.ts';
import { endOfLeafData } from './leaf-elements.ts';
import type { Meta } from './meta.ts';
import { OverflowRuns } from './overflow.ts';
import { defect, pageKind, rowOf } from './page-summaries.ts';
import {
  elementBytes,
  maxOverflowElements,
  pageHeaderBytes,
  pageType,
  readCount,
  readFlags,
  readOverflow,
  saysItIs,
} from './pages.ts';
import { readRevisionLeaf } from './revision-leaf.ts';
import type { SummaryStores } from './summary-stores.ts';

/** Pages are read at once where all their overflow is at hand, as long as such reading does not outgrow the file by more. */
const slackBytes = 16 << 20;

/**
 * Finds whatever may be a page of the tree and summarises it. A header is believed if its id is its position; that it
 * counts is up to the tree walk, because free pages hold stale headers and values may look like headers.
 */
export class PageScan {
  readonly #stores: SummaryStores;
  readonly #pageSizeBytes: number;
  readonly #highWaterMark: number;
  readonly #overflow: OverflowRuns;
  #readAtOnceBytes = 0;

  constructor(stores: SummaryStores, meta: Meta, windowBytes: number) {
    this.#stores = stores;
    this.#pageSizeBytes = meta.pageSizeBytes;
    this.#highWaterMark = meta.highWaterMark;
    this.#overflow = new OverflowRuns(stores, windowBytes);
  }

  /** Takes the bytes of the file from `base` on: a whole window, or the last and shorter one. */
  consume(window: ByteSpan, base: number): void {
    const pageSize = this.#pageSizeBytes;
    const end = window.bytes.length;
    let page = base / pageSize;
    for (let at = 0; at + pageSize <= end && page < this.#highWaterMark; at += pageSize, page++) {
      if (page < 2 || !saysItIs(page, window, at)) continue;
      const flags = readFlags(window, at);
      if (flags === pageType.leaf) this.#readLeaf(page, window, at, base);
      else if (flags === pageType.branch) this.#readBranch(page, window, at);
    }
    this.#overflow.consume(window, base);
  }

  #readLeaf(page: number, window: ByteSpan, at: number, base: number): void {
    const count = readCount(window, at);
    const runBytes = this.#note(page, window, at, pageKind.leaf);
    if (pageHeaderBytes + count * elementBytes > this.#pageSizeBytes)
      return this.#mark(page, defect.elementOutOfBounds);
    const dataBytes = endOfLeafData(window, at, count, runBytes);
    if (dataBytes < 0) return this.#mark(page, defect.elementOutOfBounds);
    if (dataBytes > this.#pageSizeBytes) {
      if (count > maxOverflowElements) return this.#mark(page, defect.tooComplex);
      const isAtHand = at + dataBytes <= window.bytes.length;
      if (!isAtHand || this.#readAtOnceBytes + dataBytes > base + at + slackBytes) {
        return this.#overflow.follow(page, window, at, base);
      }
    }
    this.#readAtOnceBytes += dataBytes;
    summariseLeaf(this.#stores, page, window, at, at + dataBytes);
  }

  #readBranch(page: number, window: ByteSpan, at: number): void {
    const runBytes = this.#note(page, window, at, pageKind.branch);
    readBranch(this.#stores, page, window, at, runBytes);
  }

  /** Notes what the header says and returns how many bytes the page has with its overflow. */
  #note(page: number, window: ByteSpan, at: number, kind: number): number {
    const row = rowOf(page);
    const chunk = this.#stores.pages.chunkFor(page);
    chunk.kind[row] = kind;
    chunk.count[row] = readCount(window, at);
    chunk.overflow[row] = readOverflow(window, at);
    return (readOverflow(window, at) + 1) * this.#pageSizeBytes;
  }

  #mark(page: number, found: number): void {
    this.#stores.pages.chunkFor(page).defect[rowOf(page)] = found;
  }
}

/** Summarises a leaf page whose bytes are all at hand, its element table checked, its data ending at `dataEnd`. */
export function summariseLeaf(stores: SummaryStores, page: number, span: ByteSpan, at: number, dataEnd: number): void {
  if (readCount(span, at) > 0 && readRevisionLeaf(stores, page, span, at)) return;
  readGenericLeaf(stores, page, span, at, dataEnd);
}
