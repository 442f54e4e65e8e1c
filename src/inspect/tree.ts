import { BoundaryKeys } from './boundary-keys.ts';
import { crc32c } from './crc32c.ts';
import type { DamageCode, DamageList } from './damage.ts';
import { keptPage } from './kept-pages.ts';
import type { PageOwners } from './page-owners.ts';
import { defect, pageKind, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/** A branch page on the way from the root to where the walk is. */
interface Level {
  readonly page: number;
  readonly children: Uint32Array;
  next: number;
}

export interface FileExtent {
  /** Pages from this one on were never allocated. */
  readonly highWaterMark: number;
  /** Whole pages that the file has. */
  readonly pagesInFile: number;
}

/** Walks trees of pages, each page once in all, and says what is wrong on the way. Goes no deeper than there are pages. */
export class TreeWalk {
  readonly #stores: SummaryStores;
  readonly #extent: FileExtent;
  readonly #owners: PageOwners;
  readonly #damages: DamageList;
  readonly #keys: BoundaryKeys;

  constructor(stores: SummaryStores, extent: FileExtent, owners: PageOwners, damages: DamageList) {
    this.#stores = stores;
    this.#extent = extent;
    this.#owners = owners;
    this.#damages = damages;
    this.#keys = new BoundaryKeys(stores);
  }

  /** Leaf pages under `root` in key order. `owner` is the page that names the root; `name` begins each path. */
  leavesUnder(root: number, owner: number, name: string): number[] {
    const leaves: number[] = [];
    const path: Level[] = [];
    const enter = (page: number, parent: number): void => {
      if (!this.#isUsable(page, parent, () => pathTo(name, path, page))) return;
      const chunk = this.#stores.pages.chunkFor(page);
      if (chunk.kind[rowOf(page)] === pageKind.branch) {
        path.push({ page, children: this.#childrenOf(page), next: 0 });
        this.#checkSeparators(path.at(-1)!, () => pathTo(name, path));
        return;
      }
      if (chunk.count[rowOf(page)] === 0) {
        if (page !== root) this.#damages.add('page-empty', pathTo(name, path, page), 'a leaf page without a key');
        return;
      }
      const before = leaves.at(-1);
      if (before !== undefined && !this.#keys.areInOrder(before, page)) {
        this.#damages.add(
          'keys-unsorted',
          pathTo(name, path, page),
          `its first key is not above the last key of page ${before}`,
        );
      }
      leaves.push(page);
    };

    enter(root, owner);
    for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
      if (level.next < level.children.length) enter(level.children[level.next++]!, level.page);
      else path.pop();
    }
    return leaves;
  }

  #isUsable(page: number, parent: number, where: () => string): boolean {
    const { highWaterMark, pagesInFile } = this.#extent;
    const report = (code: DamageCode, message: string): false => {
      this.#damages.add(code, where(), message);
      return false;
    };
    if (page < 2 || page >= highWaterMark) {
      return report(
        'page-out-of-range',
        `page ${parent} names page ${page}, which is outside 2 … ${highWaterMark - 1}`,
      );
    }
    // That the file ends too early was said once for all such pages.
    if (page >= pagesInFile) return false;
    const owner = this.#owners.claim(page, parent);
    if (owner !== undefined)
      return report('page-referenced-twice', `page ${page} hangs under page ${owner} and under page ${parent}`);

    const chunk = this.#stores.pages.chunkOf(page);
    const row = rowOf(page);
    if (chunk === undefined || chunk.kind[row] === pageKind.none) {
      return report('page-wrong-type', `no leaf or branch page that says it is page ${page} begins here`);
    }
    const lastPage = page + chunk.overflow[row]!;
    if (lastPage >= highWaterMark) {
      return report('page-out-of-range', `its overflow goes to page ${lastPage}, beyond ${highWaterMark - 1}`);
    }
    for (let overflow = page + 1; overflow <= lastPage && overflow < pagesInFile; overflow++) {
      const other = this.#owners.claim(overflow, page);
      if (other !== undefined)
        return report(
          'page-referenced-twice',
          `page ${overflow} hangs under page ${other} and is overflow of page ${page}`,
        );
    }
    const why = this.#stores.pages.explanationOf(page);
    switch (chunk.defect[row]) {
      case defect.elementOutOfBounds:
        return report(
          'element-out-of-bounds',
          'an element lies outside its page, or not right behind the one before it',
        );
      case defect.keysUnsorted:
        return report('keys-unsorted', why ?? 'its keys are not sorted');
      case defect.tooComplex:
        return report(
          'too-complex',
          'it is like no page that etcd writes, or the file holds too many pages that look like it',
        );
      case defect.incomplete:
        return lastPage < pagesInFile ? report('element-out-of-bounds', 'its overflow is not whole') : false;
      default:
        if (chunk.kind[row] === pageKind.branch && chunk.count[row] === 0)
          return report('page-empty', 'a branch page without a child');
        return true;
    }
  }

  #childrenOf(page: number): Uint32Array {
    const { more } = keptPage(this.#stores.kept, this.#stores.pages.chunkFor(page).detail[rowOf(page)]!);
    // A copy, because the kept bytes need not lie at a multiple of four.
    return new Uint32Array(more.bytes.slice().buffer);
  }

  /** Every separator is the first key of its child, so their CRCs over all children agree. */
  #checkSeparators({ page, children }: Level, where: () => string): void {
    let crc = 0;
    for (const child of children) {
      const chunk = this.#stores.pages.chunkOf(child);
      const row = rowOf(child);
      if (chunk === undefined || chunk.kind[row] === pageKind.none) return;
      if (chunk.defect[row] !== defect.none || chunk.count[row] === 0) return;
      const key = this.#keys.first(child);
      crc = crc32c(key, 0, key.bytes.length, crc);
    }
    if (crc !== this.#stores.pages.chunkFor(page).crc[rowOf(page)]) {
      this.#damages.add('separator-differs', where(), 'its separators are not the first keys of its children');
    }
  }
}

function pathTo(name: string, path: readonly Level[], page?: number): string {
  const pages = path.map((level) => level.page);
  return [name, ...(page === undefined ? pages : [...pages, page]).map((each) => `page ${each}`)].join(' > ');
}
