import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createInspector, type Inspector } from '../../src/inspect/inspector.ts';
import { craftSnapshot } from '../support/craft.ts';
import {
  compacted,
  entriesInKvHash,
  etcdBuckets,
  liveKeyCount,
  revisionsOf,
  type Revision,
} from '../support/mvcc-history.ts';

const histories = fc
  .array(fc.record({ key: fc.nat(25), isDeletion: fc.boolean(), sameTransaction: fc.boolean() }), {
    minLength: 8,
    maxLength: 150,
  })
  .map((writes) =>
    revisionsOf(
      writes.map(({ key, isDeletion, sameTransaction }, i) => ({
        key: `/registry/pods/${key}`,
        value: isDeletion ? undefined : Buffer.alloc(20 + (i % 700), i),
        sameTransaction,
      })),
    ),
  );

describe('HashKV of a member that was compacted further than the snapshot', () => {
  test('is told for every compaction below the snapshot’s revision, as long as a key is live', () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), (all, first, second) => {
        const last = all.at(-1)?.main ?? 0;
        fc.pre(last > 3 && liveKeyCount(all) > 0);
        const own = 1 + (first % (last - 2));
        const further = own + (second % (last - own));
        const inspector = inspected(compacted(all, own), own);
        expect(inspector.hashKvAt(BigInt(further))).toBe(kvHashOf(compacted(all, further), further));
      }),
      { numRuns: 200 },
    );
  });

  test('is not told below its own compaction, nor from its own revision on', () => {
    const all = revisionsOf(
      Array.from({ length: 20 }, (_, i) => ({ key: `${i % 5}`, value: Buffer.alloc(9, i), sameTransaction: false })),
    );
    const inspector = inspected(compacted(all, 8), 8);
    expect([7n, 8n, 20n, 21n, 22n].map((at) => inspector.hashKvAt(at) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  test('is not told where no key is live: a member then hashes whatever it has not removed yet', () => {
    const all = revisionsOf(
      [0, 1, 2, 3].map((i) => ({
        key: 'a',
        value: i % 2 === 0 ? Buffer.from('v') : undefined,
        sameTransaction: false,
      })),
    );
    const inspector = inspected(compacted(all, 2), 2);
    expect([inspector.hashKvAt(2n), inspector.hashKvAt(3n)]).toEqual([undefined, undefined]);
  });

  test('is not told of a damaged file', () => {
    const inspector = createInspector();
    inspector.write(new Uint8Array(100_000));
    expect(inspector.finish().verdict).toBe('damaged');
    expect(inspector.hashKvAt(5n)).toBeUndefined();
  });
});

function inspected(revisions: readonly Revision[], compactRevision: number): Inspector {
  const inspector = createInspector();
  inspector.write(craftSnapshot(etcdBuckets(revisions, compactRevision)));
  expect(inspector.finish().verdict).toBe('sound');
  return inspector;
}

function kvHashOf(revisions: readonly Revision[], compactRevision: number): number {
  const pieces = [Buffer.from('key'), ...entriesInKvHash(revisions, compactRevision).flat()];
  return pieces.reduce((crc, piece) => crc32c(piece, crc), 0);
}
