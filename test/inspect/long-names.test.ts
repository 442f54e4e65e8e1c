import { describe, expect, test } from 'vitest';
import { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot, withTrailer, type Entry } from '../support/craft.ts';
import { etcdBuckets } from '../support/mvcc-history.ts';
import { inspectBytes } from './inspect-bytes.ts';

const pageBytes = 4096;
const pagesPerWindow = (1 << 20) / pageBytes;

/** Names of roles may be so long that three of them make a branch page overflow; nothing else of etcd does that. */
const roles = Array.from({ length: 8 }, (_, i): Entry => [
  Buffer.from(`role ${i} `.padEnd(1900, 'x')),
  Buffer.alloc(9),
]);
const buckets = [...etcdBuckets([]), { name: 'authRoles', entries: roles }];

describe('a branch page with overflow', () => {
  test('is sound where all of it is in one window', () => {
    expect(inspectBytes(snapshotWithBranchAt(3)).damage).toEqual([]);
  });

  test('is too complex, never called damaged, where it goes on in the next window', () => {
    expect(inspectBytes(snapshotWithBranchAt(pagesPerWindow - 1)).damage).toEqual([
      expect.objectContaining({
        code: 'too-complex',
        where: expect.stringMatching(/^bucket authRoles > page \d+$/) as string,
      }),
    ]);
  });
});

/** A snapshot whose branch page with overflow is at this place of some window, behind free pages. */
function snapshotWithBranchAt(place: number): Buffer {
  const plain = new AlteredSnapshot(craftSnapshot(buckets));
  const branch = plain.bucketRoot('authRoles');
  expect([plain.page(branch).readUInt16LE(8), plain.page(branch).readUInt32LE(12)]).toEqual([1, 1]);
  const pagesLeftOut = pagesPerWindow + place - branch;
  const parts = craftSnapshot(buckets, { pagesLeftOut });
  const free = Buffer.alloc(pagesLeftOut * pageBytes);
  return withTrailer(Buffer.concat([parts.subarray(0, 2 * pageBytes), free, parts.subarray(2 * pageBytes, -32)]));
}
