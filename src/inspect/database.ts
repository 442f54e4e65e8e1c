import { BucketLeaves } from './bucket-leaves.ts';
import { readBuckets, type Bucket } from './buckets.ts';
import type { ByteSpan } from './byte-span.ts';
import type { DamageList } from './damage.ts';
import { EntryReader } from './entry-reader.ts';
import { EntrySummaries } from './entry-summaries.ts';
import { readEtcdFacts, type EtcdFacts } from './etcd-facts.ts';
import { FreelistReader } from './freelist.ts';
import { checkKeyBucket } from './key-bucket.ts';
import { KeyHash } from './key-hash.ts';
import { KeptBytes } from './kept-bytes.ts';
import { keptPage } from './kept-pages.ts';
import type { Meta } from './meta.ts';
import { PageOwners } from './page-owners.ts';
import { PageScan } from './page-scan.ts';
import { pageKind, pageMark, PageSummaries, rowOf } from './page-summaries.ts';
import { reportLostPages, reportUsedFreePages } from './page-accounts.ts';
import type { SummaryStores } from './summary-stores.ts';
import { TreeWalk } from './tree.ts';

export interface DatabaseContents {
  /** In the order of their names. */
  readonly buckets: readonly Bucket[];
  readonly stores: SummaryStores;
  /** Leaf pages of bucket `key`, in order. */
  readonly keyLeaves: readonly number[];
  readonly facts: EtcdFacts;
}

/** The bolt database inside a snapshot, from the live meta page on: first its pages as they stream past, then its trees. */
export class Database {
  readonly #meta: Meta;
  readonly #stores: SummaryStores;
  readonly #scan: PageScan;
  readonly #freelist: FreelistReader | undefined;

  constructor(meta: Meta, windowBytes: number, entryBudgetBytes: number | undefined) {
    const seed = Number(meta.checksum & 0xffff_ffffn);
    this.#meta = meta;
    this.#stores = {
      pages: new PageSummaries(),
      entries: new EntrySummaries(entryBudgetBytes),
      kept: new KeptBytes(),
      bucketLeaves: new BucketLeaves(meta.rootPage),
      entryReader: new EntryReader(new KeyHash(seed, Number(meta.checksum >> 32n))),
    };
    this.#scan = new PageScan(this.#stores, meta, windowBytes);
    this.#freelist = meta.freelistPage === undefined ? undefined : new FreelistReader(meta, meta.freelistPage);
  }

  get pageSizeBytes(): number {
    return this.#meta.pageSizeBytes;
  }

  /** Takes the bytes from `base` on: a whole window, or the last and shorter one, which may be empty. */
  consume(window: ByteSpan, base: number): void {
    this.#stores.kept.allowFor(base + window.bytes.length);
    this.#scan.consume(window, base);
    this.#freelist?.consume(window, base);
  }

  /** Walks the trees of a database of this many bytes. undefined where the damage found leaves nothing to rely on. */
  finish(databaseBytes: number, damages: DamageList): DatabaseContents | undefined {
    const { highWaterMark, pageSizeBytes, rootPage, page: metaPage } = this.#meta;
    const pagesInFile = Math.floor(databaseBytes / pageSizeBytes);
    const damageBefore = damages.total;
    if (pagesInFile < highWaterMark) {
      const message = `${pagesInFile} pages of ${pageSizeBytes} bytes, but meta page ${metaPage} says that ${highWaterMark} are in use`;
      damages.add('file-shorter-than-high-water-mark', 'file', message);
    }
    const extent = { highWaterMark, pagesInFile };
    const owners = new PageOwners(Math.min(highWaterMark, pagesInFile));
    this.#stores.kept.allowForInlinePages();
    const walk = new TreeWalk(this.#stores, extent, owners, damages);
    const buckets = readBuckets(this.#stores, walk, rootPage, metaPage, pagesInFile, damages);
    const keyBucket = bucketNamed(buckets, 'key');
    const metaBucket = bucketNamed(buckets, 'meta');
    const treesAreWhole = damages.total === damageBefore;
    if (treesAreWhole && (keyBucket === undefined || metaBucket === undefined)) {
      damages.add('not-etcd', 'root bucket', 'it has no buckets key and meta: this is no database of etcd');
    }
    if (keyBucket !== undefined) checkKeyBucket(this.#stores, keyBucket, damages);
    this.#checkFreelist(owners, treesAreWhole, damages);
    if (damages.total > damageBefore || keyBucket === undefined) return undefined;
    const facts = readEtcdFacts(this.#factsOf(buckets));
    return { buckets, stores: this.#stores, keyLeaves: keyBucket.leaves, facts };
  }

  #checkFreelist(owners: PageOwners, treesAreWhole: boolean, damages: DamageList): void {
    const freelist = this.#freelist;
    if (freelist === undefined || !freelist.report(damages)) return;
    reportUsedFreePages(freelist, owners, damages);
    if (treesAreWhole) reportLostPages(freelist, owners, this.#meta.highWaterMark, damages);
  }

  /** What `packEtcdFacts` made of the leaf pages of buckets `meta` and `cluster`. */
  #factsOf(buckets: readonly Bucket[]): Uint8Array[] {
    const { pages, kept } = this.#stores;
    const leaves = ['meta', 'cluster'].flatMap((name) => bucketNamed(buckets, name)?.leaves ?? []);
    const withFacts = leaves.filter((leaf) => {
      const chunk = pages.chunkFor(leaf);
      return chunk.kind[rowOf(leaf)] === pageKind.leaf && (chunk.marks[rowOf(leaf)]! & pageMark.holdsBuckets) === 0;
    });
    return withFacts.map((leaf) => keptPage(kept, pages.chunkFor(leaf).detail[rowOf(leaf)]!).more.bytes);
  }
}

function bucketNamed(buckets: readonly Bucket[], name: string): Bucket | undefined {
  return buckets.find((bucket) => bucket.label === `bucket ${name}`);
}
