/** Pages that hold buckets are no larger: bbolt keeps a bucket inline up to a quarter of a page, and pages are up to 64 KiB. */
const maxLeafBytes = 64 * 1024;
/** For whole pages; whether one is in use is not known before all of the file has passed. */
const templateBudgetBytes = 16 << 20;
/** Page ids, the consistent index and compacted revisions differ from one commit to the next; these are 20 bytes or so. */
const maxDifferences = 40;
const numberBytes = 4;
const differenceBytes = 3;
const nothing = new Uint8Array(0);

/**
 * Leaf pages that hold buckets, for when the walk asks for their bytes. Mostly that is the live root page alone, which
 * the meta page names. But where the root is a branch page, any page with buckets may be one of its leaves until it has
 * come, and every commit of etcd leaves such pages behind. One differs from the next in a few numbers, so a page is kept
 * as its differences from one of the same size that is kept whole.
 */
export class BucketLeaves {
  readonly #rootPage: number;
  #root: Uint8Array | undefined;
  readonly #templates: Uint8Array[] = [];
  /** Number of the newest template of each size. */
  readonly #templateOfSize = new Map<number, number>();
  #templateBytes = 0;
  readonly #kept = new Uint8Array(numberBytes + maxDifferences * differenceBytes);
  readonly #keptView = new DataView(this.#kept.buffer);

  constructor(rootPage: number) {
    this.#rootPage = rootPage;
  }

  /** What `whole` needs to give the page's bytes again, valid until the next call; undefined beyond the budget. */
  keep(page: number, bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.length > maxLeafBytes) return undefined;
    if (page === this.#rootPage) {
      this.#root = bytes.slice();
      return nothing;
    }
    // The root is a leaf page and has no others under it.
    if (this.#root !== undefined) return nothing;
    const number = this.#templateOfSize.get(bytes.length);
    const differences = number === undefined ? undefined : this.#differencesFrom(number, bytes);
    return differences ?? this.#addTemplate(bytes);
  }

  /** The bytes of a page that was kept as `kept`; undefined if it can't be a page of the root bucket. */
  whole(page: number, kept: Uint8Array): Uint8Array | undefined {
    if (page === this.#rootPage) return this.#root;
    if (kept.length === 0) return undefined;
    const view = new DataView(kept.buffer, kept.byteOffset, kept.length);
    const bytes = this.#templates[view.getUint32(0)]!.slice();
    for (let at = numberBytes; at < kept.length; at += differenceBytes) {
      bytes[view.getUint16(at)] = view.getUint8(at + 2);
    }
    return bytes;
  }

  #differencesFrom(number: number, bytes: Uint8Array): Uint8Array | undefined {
    const template = this.#templates[number]!;
    this.#keptView.setUint32(0, number);
    let end = numberBytes;
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === template[at]) continue;
      if (end === this.#kept.length) return undefined;
      this.#keptView.setUint16(end, at);
      this.#keptView.setUint8(end + 2, bytes[at]!);
      end += differenceBytes;
    }
    return this.#kept.subarray(0, end);
  }

  #addTemplate(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#templateBytes + bytes.length > templateBudgetBytes) return undefined;
    this.#templateBytes += bytes.length;
    this.#templateOfSize.set(bytes.length, this.#templates.length);
    this.#templates.push(bytes.slice());
    this.#keptView.setUint32(0, this.#templates.length - 1);
    return this.#kept.subarray(0, numberBytes);
  }
}
