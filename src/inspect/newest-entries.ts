import type { EntrySummaries } from './entry-summaries.ts';
import { noEntries, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/** The newest entry of every user key. */
export class NewestEntries {
  /** Keys whose newest entry is no tombstone: what etcdutl from 3.6 on calls total keys. */
  readonly liveKeys: number;
  readonly #isNewest: Uint8Array;

  /** `pages` are the leaf pages of bucket `key` in order, all with entries recorded. */
  constructor(stores: SummaryStores, pages: readonly number[]) {
    const { entries } = stores;
    this.#isNewest = new Uint8Array((entries.count + 7) >>> 3);
    const seen = new SeenKeys(countEntriesOf(stores, pages));
    let liveKeys = 0;
    // From the end: the first entry of a key that is met is its newest.
    for (let i = pages.length - 1; i >= 0; i--) {
      const chunk = stores.pages.chunkFor(pages[i]!);
      const first = chunk.detail[rowOf(pages[i]!)]!;
      for (let entry = first + chunk.count[rowOf(pages[i]!)]! - 1; entry >= first; entry--) {
        if (!seen.add(entries.keyHashLow(entry), entries.keyHashHigh(entry))) continue;
        this.#isNewest[entry >>> 3]! |= 1 << (entry & 7);
        if (!entries.isTombstone(entry)) liveKeys++;
      }
    }
    this.liveKeys = liveKeys;
  }

  isNewest(entry: number): boolean {
    return (this.#isNewest[entry >>> 3]! & (1 << (entry & 7))) !== 0;
  }

  /** Whether reading the user key of this entry would give its value. */
  isLive(entries: EntrySummaries, entry: number): boolean {
    return this.isNewest(entry) && !entries.isTombstone(entry);
  }
}

/** Whether every page has its entries recorded: the budget was enough. */
export function haveEntries({ pages }: SummaryStores, leaves: readonly number[]): boolean {
  return leaves.every((page) => pages.chunkFor(page).detail[rowOf(page)] !== noEntries);
}

function countEntriesOf({ pages }: SummaryStores, leaves: readonly number[]): number {
  return leaves.reduce((total, page) => total + pages.chunkFor(page).count[rowOf(page)]!, 0);
}

/** A set of 64-bit hashes: open addressing, at most two thirds full. */
class SeenKeys {
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  readonly #mask: number;
  #hasZero = false;

  constructor(atMost: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, 1.5 * atMost)));
    this.#low = new Uint32Array(slots);
    this.#high = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** False if it was there before. */
  add(low: number, high: number): boolean {
    if (low === 0 && high === 0) {
      const isNew = !this.#hasZero;
      this.#hasZero = true;
      return isNew;
    }
    let slot = low & this.#mask;
    while (this.#low[slot] !== 0 || this.#high[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) return false;
      slot = (slot + 1) & this.#mask;
    }
    this.#low[slot] = low;
    this.#high[slot] = high;
    return true;
  }
}
