import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { craftSnapshot, type CraftedBucket } from '../support/craft.ts';
import {
  compacted,
  entriesInKvHash,
  etcdBuckets,
  liveKeyCount,
  revisionsOf,
  type Revision,
  type Write,
} from '../support/mvcc-history.ts';
import { inspectBytes } from './inspect-bytes.ts';

const valueSizes = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 900 }) },
  { weight: 3, arbitrary: fc.integer({ min: 901, max: 9000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 900_000 }) },
);

/** Sizes, not values: counterexamples stay readable. */
const writes = fc.array(
  fc.record({
    key: fc.nat(60),
    sizeBytes: fc.option(valueSizes, { nil: undefined, freq: 4 }),
    sameTransaction: fc.boolean(),
  }),
  { minLength: 1, maxLength: 250 },
);

const kinds = ['pods', 'leases', 'apps.example.com/widgets'];
const toWrites = (
  found: readonly { key: number; sizeBytes: number | undefined; sameTransaction: boolean }[],
): Write[] =>
  found.map(({ key, sizeBytes, sameTransaction }, i) => ({
    key: `/registry/${kinds[key % 3]}/ns/${'k'.repeat(key % 7)}${key}`,
    value: sizeBytes === undefined ? undefined : Buffer.alloc(sizeBytes, i),
    sameTransaction,
  }));

const shuffled =
  (seed: number) =>
  (runs: number): number[] =>
    Array.from({ length: runs }, (_, i) => i).sort((a, b) => mix(a, seed) - mix(b, seed));

describe('a whole database', () => {
  test('gives the hashes and counts that etcd computes, for any history, page size and order of pages', () => {
    fc.assert(
      fc.property(
        writes,
        fc.nat(),
        fc.constantFrom(4096, 8192, 16384, 65536),
        fc.nat(),
        fc.boolean(),
        (history, cut, pageSizeBytes, seed, stalePages) => {
          const all = revisionsOf(toWrites(history));
          const last = all.at(-1)?.main ?? 1;
          const compactRevision = last > 2 && cut % 4 > 0 ? 1 + (cut % (last - 1)) : -1;
          // An interrupted compaction has removed nothing yet.
          const inFile = cut % 4 === 3 ? all : compacted(all, compactRevision);
          const buckets = etcdBuckets(inFile, compactRevision);
          const snapshot = craftSnapshot(buckets, {
            pageSizeBytes,
            order: shuffled(seed),
            stalePages,
            freelist: seed % 2 === 0,
          });
          expect(inspectBytes(snapshot)).toMatchObject({
            verdict: 'sound',
            damage: [],
            pageSizeBytes,
            trailer: 'matches',
            sha256: createHash('sha256').update(snapshot).digest('hex'),
            hash: statusHashOf(buckets),
            kvHash:
              compactRevision >= 0 && liveKeyCount(all) === 0
                ? undefined
                : {
                    // The same, however far the compaction has come.
                    hash: kvHashOf(compacted(all, compactRevision), compactRevision),
                    revision: BigInt(last),
                    compactRevision: BigInt(compactRevision),
                  },
            revision: BigInt(last),
            totalEntries: buckets.reduce((sum, { entries }) => sum + entries.length, 0),
            liveKeys: liveKeyCount(inFile),
            consistentIndex: 77n,
            term: 3n,
            storageVersion: '3.6.0',
            clusterVersion: '3.6.0',
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gives the same facts in whatever pieces it comes', () => {
    const bytes = craftSnapshot(etcdBuckets(someHistory(400, 7000)), { order: shuffled(5), stalePages: true });
    const whole = inspectBytes(bytes);
    expect(whole.verdict).toBe('sound');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000_000 }), { minLength: 1, maxLength: 20 }), (pieces) => {
        expect(inspectBytes(bytes, pieces)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
    expect(inspectBytes(bytes, [32 * 1024])).toEqual(whole);
    expect(inspectBytes(bytes, [1000, 1])).toEqual(whole);
  });

  // field: F015
  test('of 40 KB is sound and has one HashKV and one key count with pages of 4, 16 and 64 KiB', () => {
    const history = someHistory(40, 1000);
    const found = [4096, 16384, 65536].map((pageSizeBytes) =>
      inspectBytes(craftSnapshot(etcdBuckets(history), { pageSizeBytes })),
    );
    expect(found.map(({ verdict, pageSizeBytes }) => [verdict, pageSizeBytes])).toEqual([
      ['sound', 4096],
      ['sound', 16384],
      ['sound', 65536],
    ]);
    expect(new Set(found.map(({ kvHash }) => kvHash?.hash)).size).toBe(1);
    expect(new Set(found.map(({ liveKeys }) => liveKeys))).toEqual(new Set([40]));
  });

  test('reads values that go on over several windows of a mebibyte', () => {
    const history = revisionsOf(
      [1, 2_500_000, 3, 1_400_000, 5_000_000, 1_048_576].map((size, i) => put(`/big/${i}`, size)),
    );
    const buckets = etcdBuckets(history);
    for (const seed of [1, 2, 3, 4]) {
      const found = inspectBytes(craftSnapshot(buckets, { order: shuffled(seed), stalePages: true }));
      expect(found).toMatchObject({
        damage: [],
        hash: statusHashOf(buckets),
        liveKeys: 6,
        kvHash: { hash: kvHashOf(history, -1) },
      });
    }
  });
});

describe('facts of the keyspace', () => {
  test('name the prefixes that hold most, with a segment more after an API group', () => {
    const history = revisionsOf([
      ...Array.from({ length: 30 }, (_, i) => put(`/registry/pods/ns/p${i}`, 2000)),
      ...Array.from({ length: 50 }, (_, i) => put(`/registry/cilium.io/ciliumnodes/n${i}`, 100)),
      put('plain', 10),
      put('/registry/ranges/serviceips', 10),
    ]);
    const { largestPrefixes } = inspectBytes(craftSnapshot(etcdBuckets(history)));
    expect(largestPrefixes.map(({ prefix, entries }) => [prefix, entries])).toEqual([
      ['/registry/pods/', 30],
      ['/registry/cilium.io/ciliumnodes/', 50],
      ['/registry/ranges/', 1],
      ['(no prefix)', 1],
    ]);
    expect(largestPrefixes[0]?.bytes).toBeGreaterThan(60_000);
  });

  test('name the encryption providers of values, with how many live keys need each', () => {
    const encrypted = (key: string, provider: string): Write => ({
      key,
      value: Buffer.concat([Buffer.from(`k8s:enc:${provider}:`), Buffer.alloc(40, 1)]),
      sameTransaction: false,
    });
    const history = revisionsOf([
      encrypted('/registry/secrets/a', 'aescbc:v1:key1'),
      encrypted('/registry/secrets/b', 'aescbc:v1:key1'),
      encrypted('/registry/secrets/c', 'kms:v2:vault'),
      encrypted('/registry/secrets/b', 'kms:v2:vault'),
      put('/registry/pods/p', 100),
      put('/registry/pods/q', 300_000),
      encrypted('/registry/secrets/old', 'secretbox:v1:gone'),
      put('/registry/secrets/old', 20),
    ]);
    const snapshot = craftSnapshot(etcdBuckets(history));
    expect(inspectBytes(snapshot).encryptionProviders).toEqual([
      { provider: 'aescbc', version: 'v1', keyName: 'key1', keys: 1 },
      { provider: 'kms', version: 'v2', keyName: 'vault', keys: 2 },
      { provider: 'secretbox', version: 'v1', keyName: 'gone', keys: 0 },
    ]);
    const known = inspectBytes(snapshot, undefined, { entryBudgetBytes: 0 }).encryptionProviders;
    expect(known.map(({ provider, keys }) => [provider, keys])).toEqual([
      ['aescbc', undefined],
      ['kms', undefined],
      ['secretbox', undefined],
    ]);
  });

  test('say that HashKV is not comparable where the newest revision is the compacted one', () => {
    const all = someHistory(20, 50);
    const last = all.at(-1)?.main ?? 0;
    const found = inspectBytes(craftSnapshot(etcdBuckets(compacted(all, last), last)));
    expect(found).toMatchObject({ verdict: 'sound', kvHash: undefined, compactRevision: BigInt(last) });
    expect(found.kvHashSkipped).toContain('compacted');
  });

  test('have no HashKV where no key is live: a member hashes whatever its compaction has not removed yet', () => {
    const erase = (key: string): Write => ({ key, value: undefined, sameTransaction: false });
    // Revisions 2 and 3 write a and b, 4 deletes a, 5 writes a again, 6 and 7 delete both.
    const all = revisionsOf([put('a', 10), put('b', 20), erase('a'), put('a', 30), erase('b'), erase('a')]);
    for (const compactRevision of [3, 4, 5, 6]) {
      const scheduled = inspectBytes(craftSnapshot(etcdBuckets(all, compactRevision)));
      const finished = inspectBytes(craftSnapshot(etcdBuckets(compacted(all, compactRevision), compactRevision)));
      for (const found of [scheduled, finished]) {
        expect(found).toMatchObject({ verdict: 'sound', liveKeys: 0, kvHash: undefined, revision: 7n });
        expect(found.kvHashSkipped).toContain('no key is live');
      }
    }
    expect(inspectBytes(craftSnapshot(etcdBuckets(all)))).toMatchObject({ kvHash: { hash: kvHashOf(all, -1) } });
  });

  test.each([
    ['first', (runs: number) => Array.from({ length: runs }, (_, i) => i)],
    ['last', (runs: number) => Array.from({ length: runs }, (_, i) => runs - 1 - i)],
  ])(
    'are read to the end of a record that ends just before, at or behind a window, its page %s in the file',
    (_, order) => {
      const craft = (sizeBytes: number) => {
        // The second revision after 1 has a lease behind its value.
        const buckets = etcdBuckets(revisionsOf([put('first', 10), put('big', sizeBytes)]));
        return { buckets, snapshot: craftSnapshot(buckets, { order }) };
      };
      const smallBytes = 5000;
      const pagesBefore = order(2)[0] === 0 ? 2 : Math.floor(craft(smallBytes).snapshot.length / 4096) - 2;
      const room = 2 * (1 << 20) - 4096 * pagesBefore;
      for (let overhead = 110; overhead < 170; overhead++) {
        const { buckets, snapshot } = craft(room - overhead);
        expect(inspectBytes(snapshot)).toMatchObject({ damage: [], hash: statusHashOf(buckets), liveKeys: 2 });
      }
    },
  );

  test('take the compacted revision for the current one where no key is as new', () => {
    const found = inspectBytes(craftSnapshot(etcdBuckets([], 9)));
    expect(found).toMatchObject({
      verdict: 'sound',
      revision: 9n,
      newestEntryRevision: 0n,
      compactRevision: 9n,
      liveKeys: 0,
    });
  });

  test('go without HashKV and live keys once their memory is used up, and keep everything else', () => {
    const all = someHistory(300, 100);
    const buckets = etcdBuckets(compacted(all, 100), 100);
    const found = inspectBytes(craftSnapshot(buckets), undefined, { entryBudgetBytes: 0 });
    expect(found).toMatchObject({
      verdict: 'sound',
      hash: statusHashOf(buckets),
      kvHash: undefined,
      liveKeys: undefined,
    });
    expect(found.kvHashSkipped).toContain('memory');
    // Where nothing was compacted every entry counts, and no memory is needed.
    expect(inspectBytes(craftSnapshot(etcdBuckets(all)), undefined, { entryBudgetBytes: 0 }).kvHash?.hash).toBe(
      kvHashOf(all, -1),
    );
  });
});

const put = (key: string, sizeBytes: number): Write => ({
  key,
  value: Buffer.alloc(sizeBytes, key),
  sameTransaction: false,
});

function someHistory(count: number, sizeBytes: number): Revision[] {
  return revisionsOf(
    Array.from({ length: count }, (_, i) => put(`/registry/pods/default/pod-${i}`, (sizeBytes * (1 + (i % 5))) / 3)),
  );
}

function statusHashOf(buckets: readonly CraftedBucket[]): number {
  const inOrder = [...buckets].sort((a, b) => (a.name < b.name ? -1 : 1));
  return crcOf(inOrder.flatMap(({ name, entries }) => [Buffer.from(name), ...entries.flat()]));
}

const kvHashOf = (revisions: readonly Revision[], compactRevision: number): number =>
  crcOf([Buffer.from('key'), ...entriesInKvHash(revisions, compactRevision).flat()]);

const crcOf = (pieces: readonly Buffer[]): number => pieces.reduce((crc, piece) => crc32c(piece, crc), 0);

const mix = (value: number, seed: number): number => Math.imul(value + 1, 2_654_435_761 ^ seed) >>> 0;
