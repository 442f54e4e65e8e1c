import { expect, test } from 'vitest';
import { craftSnapshot } from '../support/craft.ts';
import { etcdBuckets, revisionsOf, type Write } from '../support/mvcc-history.ts';
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
