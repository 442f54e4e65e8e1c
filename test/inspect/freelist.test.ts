import { describe, expect, test } from 'vitest';
import type { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot, pageHeaderBytes } from '../support/craft.ts';
import { etcdBuckets } from '../support/mvcc-history.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';
import { altered, history } from './specimen.ts';

describe('the freelist', () => {
  // field: F020
  test('need not be stored', () => {
    expect(inspectBytes(craftSnapshot(etcdBuckets(history), { stalePages: true })).damage).toEqual([]);
  });

  // field: F020
  test('is refused where its page is of another type', () => {
    expect(codesOf(inspectBytes(altered((snapshot) => snapshot.changeMeta({ freelist: 0n }))))).toEqual([
      'freelist-bad-type',
    ]);
    const used = altered((snapshot) => snapshot.changeMeta({ freelist: BigInt(snapshot.bucketRoot('key')) }));
    expect(codesOf(inspectBytes(used))).toEqual(['freelist-bad-type']);
  });

  // field: F020
  test('may not name a page in use', () => {
    const found = inspectBytes(altered((snapshot) => replaceFreePage(snapshot, 0, snapshot.bucketRoot('key'))));
    expect(codesOf(found)).toContain('page-free-and-used');
  });

  test('is sorted and names each page once', () => {
    const twice = altered((snapshot) => freelistOf(snapshot).copyWithin(24, 16, 24));
    const beyond = altered((snapshot) => freelistOf(snapshot).writeBigUInt64LE(1n << 50n, 16));
    const long = altered((snapshot) => freelistOf(snapshot).writeUInt16LE(0xfffe, 10));
    for (const snapshot of [twice, beyond, long]) expect(codesOf(inspectBytes(snapshot))).toEqual(['freelist-invalid']);
  });

  test('together with the trees names every page', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const freelist = freelistOf(snapshot);
        freelist.writeUInt16LE(freelist.readUInt16LE(10) - 1, 10);
      }),
    );
    expect(codesOf(found)).toEqual(['page-lost']);
  });
});

const freelistOf = (snapshot: AlteredSnapshot): Buffer => snapshot.page(Number(snapshot.meta.freelist));

/** Puts another id into the sorted list of free pages. */
function replaceFreePage(snapshot: AlteredSnapshot, index: number, id: number): void {
  const freelist = snapshot.db.subarray(Number(snapshot.meta.freelist) * snapshot.pageSize);
  const ids = Array.from({ length: freelist.readUInt16LE(10) }, (_, i) =>
    Number(freelist.readBigUInt64LE(pageHeaderBytes + 8 * i)),
  );
  ids[index] = id;
  ids.sort((a, b) => a - b).forEach((each, i) => freelist.writeBigUInt64LE(BigInt(each), pageHeaderBytes + 8 * i));
}
