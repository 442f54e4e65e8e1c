import { describe, expect, test } from 'vitest';
import { createInspector, type Inspection } from '../../src/inspect/inspector.ts';
import { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot, type CraftedBucket, type CraftOptions } from '../support/craft.ts';
import { etcdBuckets, revisionsOf } from '../support/mvcc-history.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';

const mebibyte = 1 << 20;
const history = revisionsOf(
  Array.from({ length: 2000 }, (_, i) => ({
    key: `/registry/pods/p${i % 700}`,
    value: Buffer.alloc(500, i),
    sameTransaction: false,
  })),
);
const members = Buffer.alloc(600, 'one of many members; ');
/** Bucket `meta` has pages of its own where its values are large. */
const buckets = (metaIsInline: boolean): CraftedBucket[] =>
  etcdBuckets(history, 900).map(({ name, entries }) => ({
    name,
    entries: name === 'meta' && !metaIsInline ? [[Buffer.from('confState'), members], ...entries] : entries,
  }));

/**
 * Every commit of etcd frees a version of each page from the changed leaf up to the root; such pages keep their content.
 * Small pages, so that many of them are soon inspected.
 */
describe('so many stale pages before the live ones that keeping each whole would take too much memory', () => {
  interface Case {
    readonly count: number;
    readonly options: CraftOptions;
    readonly metaIsInline?: boolean;
    /** The page in use that they are like. */
    readonly like: (snapshot: AlteredSnapshot) => number;
  }

  const cases: readonly (Case & { readonly pages: string })[] = [
    {
      pages: 'root leaf pages',
      count: 200_000,
      options: { pageSizeBytes: 1024 },
      like: ({ meta }) => Number(meta.root),
    },
    {
      pages: 'leaf pages of a root that is a branch page',
      count: 200_000,
      options: { pageSizeBytes: 1024, rootIsBranch: true },
      like: (snapshot) => leafThatHolds('consistent_index', snapshot),
    },
    {
      pages: 'leaf pages of bucket meta',
      count: 200_000,
      options: { pageSizeBytes: 1024 },
      metaIsInline: false,
      like: (snapshot) => snapshot.bucketRoot('meta'),
    },
    {
      pages: 'leaf pages of bucket lease',
      count: 200_000,
      options: { pageSizeBytes: 1024 },
      like: (snapshot) => snapshot.bucketRoot('lease') - 1,
    },
    {
      pages: 'branch pages of bucket key, full',
      count: 150_000,
      options: { pageSizeBytes: 4096 },
      like: (snapshot) => snapshot.bucketRoot('key') - 2,
    },
  ];

  test.each(cases)(
    '$pages: the database is sound, and its facts are those of the live pages',
    { timeout: 60_000 },
    ({ count, options, metaIsInline = true, like }) => {
      const content = buckets(metaIsInline);
      const alone = craftSnapshot(content, options);
      const snapshot = new AlteredSnapshot(alone);
      const before = process.memoryUsage().arrayBuffers;
      const { found, keptBytes } = inspectBehind(snapshot.page(like(snapshot)), count, content, options);
      expect(codesOf(found)).toEqual(['trailer-missing']);
      const { hash, kvHash, liveKeys, consistentIndex, storageVersion, compactRevision } = inspectBytes(alone);
      expect(found).toMatchObject({ hash, kvHash, liveKeys, consistentIndex, storageVersion, compactRevision });
      expect({ liveKeys, consistentIndex, compactRevision }).toEqual({
        liveKeys: 700,
        consistentIndex: 77n,
        compactRevision: 900n,
      });
      expect(keptBytes - before).toBeLessThan(140 * mebibyte);
    },
  );

  /** Inspects the database behind `count` copies of a page, each with its own id and a number that every commit changes. */
  function inspectBehind(page: Buffer, count: number, content: readonly CraftedBucket[], options: CraftOptions) {
    const inspector = createInspector();
    const live = craftSnapshot(content, { ...options, pagesLeftOut: count }).subarray(0, -32);
    inspector.write(live.subarray(0, 2 * page.length));
    const stale = Buffer.alloc(mebibyte);
    for (let at = 0; at < mebibyte; at += page.length) page.copy(stale, at);
    const numberAt = page.indexOf('consistent_index') + 'consistent_index'.length;
    for (let id = 2; id < 2 + count;) {
      const pages = Math.min(mebibyte / page.length, 2 + count - id);
      for (let i = 0; i < pages; i++, id++) {
        stale.writeBigUInt64LE(BigInt(id), i * page.length);
        if (page.includes('consistent_index')) stale.writeBigUInt64BE(BigInt(id), i * page.length + numberAt);
      }
      inspector.write(stale.subarray(0, pages * page.length));
    }
    inspector.write(live.subarray(2 * page.length));
    const found: Inspection = inspector.finish();
    return { found, keptBytes: process.memoryUsage().arrayBuffers };
  }

  function leafThatHolds(text: string, snapshot: AlteredSnapshot): number {
    const leaf = snapshot.pagesOfType(2).find((id) => snapshot.page(id).includes(text));
    if (leaf === undefined) throw new Error(`no leaf page holds ${text}`);
    return leaf;
  }
});

test('a root bucket of two leaf pages under a branch page is read, wherever they lie', () => {
  const content = buckets(true);
  const { hash, liveKeys } = inspectBytes(craftSnapshot(content));
  for (const reversed of [false, true]) {
    for (const stalePages of [false, true]) {
      const order = (runs: number): number[] => Array.from({ length: runs }, (_, i) => (reversed ? runs - 1 - i : i));
      const found = inspectBytes(craftSnapshot(content, { rootIsBranch: true, stalePages, order }));
      expect(found).toMatchObject({ damage: [], hash, liveKeys, consistentIndex: 77n });
    }
  }
});
