import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot, withTrailer, writeMeta } from '../support/craft.ts';
import { etcdBuckets } from '../support/mvcc-history.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';
import { altered, flip, history, sound } from './specimen.ts';

test('the snapshot that all this is done to is sound', () => {
  expect(inspectBytes(sound).damage).toEqual([]);
});

describe('the trailer', () => {
  // field: F012
  test('shows one flipped bit, wherever it is', () => {
    for (const at of [100, 5000, sound.length >> 1, sound.length - 33, sound.length - 1]) {
      const flipped = Buffer.from(sound);
      flip(flipped, at);
      expect(inspectBytes(flipped)).toMatchObject({ verdict: 'damaged', trailer: 'differs' });
      expect(codesOf(inspectBytes(flipped))[0]).toBe('trailer-mismatch');
    }
  });

  test('is missed where it was cut off, and the database is inspected all the same', () => {
    const found = inspectBytes(sound.subarray(0, -32));
    expect(found).toMatchObject({ verdict: 'damaged', trailer: 'missing', hash: inspectBytes(sound).hash });
    expect(codesOf(found)).toEqual(['trailer-missing']);
  });

  // field: F013
  test('does not make a file whole that was cut at 4096 k + 32', () => {
    const found = inspectBytes(sound.subarray(0, 4096 * 100 + 32));
    expect(found).toMatchObject({ verdict: 'damaged', hash: undefined, kvHash: undefined });
    expect(codesOf(found)).toEqual(expect.arrayContaining(['trailer-mismatch', 'file-shorter-than-high-water-mark']));
  });

  test('is right and the file too short: the page count tells', () => {
    expect(codesOf(inspectBytes(withTrailer(sound.subarray(0, 4096 * 100))))).toContain(
      'file-shorter-than-high-water-mark',
    );
  });
});

describe('meta pages', () => {
  // field: F014
  test.each([4096, 16384, 32768, 65536])(
    'the first one gone: pages of %i bytes are found by the second, and it is damage',
    (pageSizeBytes) => {
      const snapshot = new AlteredSnapshot(craftSnapshot(etcdBuckets(history.slice(0, 50)), { pageSizeBytes }));
      snapshot.page(0).fill(0);
      const found = inspectBytes(snapshot.snapshot());
      expect(codesOf(found)).toEqual(['meta-damaged']);
      expect(found.pageSizeBytes).toBe(pageSizeBytes);
      expect(found.damage[0]?.message).toContain(`page size ${pageSizeBytes}, meta page 1 is valid with txid 7`);
    },
  );

  test('the second one gone is damage too', () => {
    const found = inspectBytes(altered((snapshot) => flip(snapshot.page(1), 40)));
    expect(codesOf(found)).toEqual(['meta-damaged']);
    expect(found.damage[0]?.message).toContain('checksum');
  });

  test('both gone leave nothing to read', () => {
    const found = inspectBytes(altered((snapshot) => [0, 1].forEach((id) => flip(snapshot.page(id), 40))));
    expect(found).toMatchObject({ verdict: 'damaged', pageSizeBytes: undefined, hash: undefined, trailer: 'matches' });
    expect(codesOf(found)).toEqual(['meta-damaged']);
  });

  test('the valid one with the higher transaction id is gone by', () => {
    const stale = new AlteredSnapshot(sound);
    writeMeta(stale.page(0), 0, { ...stale.meta, root: 3n, txid: 8n });
    writeMeta(stale.page(1), 1, { ...new AlteredSnapshot(sound).meta, txid: 9n });
    expect(inspectBytes(stale.snapshot()).damage).toEqual([]);
    writeMeta(stale.page(1), 1, { ...new AlteredSnapshot(sound).meta, txid: 7n });
    expect(inspectBytes(stale.snapshot()).verdict).toBe('damaged');
  });

  test('the one with the higher transaction id and a wrong checksum is not', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const before = snapshot.meta;
        snapshot.changeMeta({ root: before.root });
        // A newer second meta page that names another root.
        const second = snapshot.page(1);
        snapshot.page(0).copy(second);
        second.writeBigUInt64LE(1n);
        second.writeBigUInt64LE(99n, 64);
      }),
    );
    expect(codesOf(found)).toEqual(['meta-damaged']);
  });
});

describe('files of any length and content', () => {
  // field: F023
  test.each([0, 1, 31, 32, 511, 512, 4096, 8191, 8192])('of %i bytes, zeros or noise, get a verdict', (size) => {
    const noise = Buffer.from(Array.from({ length: size }, () => randomInt(256)));
    for (const bytes of [Buffer.alloc(size), noise]) {
      const found = inspectBytes(bytes);
      expect(found).toMatchObject({ verdict: 'damaged', sizeBytes: size, hash: undefined });
      expect(codesOf(found)).toContain('not-bolt');
    }
  });

  test('a sound snapshot cut anywhere is damaged, and inspected without an error', () => {
    for (const size of [16, 80, 4095, 4096, 4100, 4176, 8192, 20_000, sound.length - 1, sound.length - 512]) {
      expect(inspectBytes(sound.subarray(0, size)).verdict).toBe('damaged');
    }
  });
});
