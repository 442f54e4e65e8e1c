import { expect, test } from 'vitest';
import { craftSnapshot } from '../support/craft.ts';
import { etcdBuckets, revisionKey, revisionsOf, type Write } from '../support/mvcc-history.ts';
import { inspectBytes } from './inspect-bytes.ts';

/**
 * Of records in a page that goes on beyond the megabyte at hand, the first 1536 bytes are read when they come and what
 * is behind the value when its end has come. The second record has a lease behind its value; the third is what makes the
 * page so long.
 */
const put = (key: string, sizeBytes: number): Write => ({
  key,
  value: Buffer.alloc(sizeBytes, 'v'),
  sameTransaction: false,
});

function inspectPageWith(second: Write) {
  const revisions = revisionsOf([put('first', 10), second, put('large', 1_100_000)]);
  return inspectBytes(craftSnapshot(etcdBuckets(revisions)));
}

test('a record is sound wherever its lease falls at the end of what is read first', () => {
  for (let sizeBytes = 1480; sizeBytes < 1515; sizeBytes++) {
    expect(inspectPageWith(put('second', sizeBytes)), `${sizeBytes} bytes`).toMatchObject({ damage: [], liveKeys: 3 });
  }
});

test('a record is sound wherever its value begins, however long its key is', () => {
  for (const keyBytes of [...Array.from({ length: 50 }, (_, i) => 1490 + i), 5000, 100_000]) {
    for (const valueBytes of [0, 4000]) {
      const found = inspectPageWith(put('k'.repeat(keyBytes), valueBytes));
      expect(found, `${keyBytes} and ${valueBytes} bytes`).toMatchObject({ verdict: 'sound', damage: [] });
    }
  }
});

test('an empty record is the key "", among large values as among small ones', () => {
  const bumped = (main: number) => [revisionKey(main, 0, false), Buffer.alloc(0)] as const;
  for (const sizeBytes of [10, 1_100_000]) {
    const [keys, ...others] = etcdBuckets(revisionsOf([put('first', 10), put('large', sizeBytes)]));
    // Two restores, each with a bump: one key with two revisions.
    const entries = [...(keys?.entries ?? []), bumped(1003), bumped(2003)];
    const found = inspectBytes(craftSnapshot([{ name: 'key', entries }, ...others]));
    expect(found).toMatchObject({ damage: [], liveKeys: 3, revision: 2003n, totalEntries: 4 + 4 + 300 });
  }
});
