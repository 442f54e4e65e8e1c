import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteSpan } from '../../src/inspect/byte-span.ts';
import { isRevisionKey, KeyValueReader, readMain, readSub, writeRevisionKey } from '../../src/inspect/mvcc.ts';
import { revisionsOf } from '../support/mvcc-history.ts';

describe('revision keys', () => {
  test('are read as they were written', () => {
    const main = fc.maxSafeNat();
    fc.assert(
      fc.property(main, fc.nat(2 ** 31), fc.boolean(), (written, sub, isTombstone) => {
        const span = byteSpan(new Uint8Array(18));
        const end = writeRevisionKey(span, 0, written, sub, isTombstone);
        expect(end).toBe(isTombstone ? 18 : 17);
        expect(isRevisionKey(span, 0, end)).toBe(true);
        expect([readMain(span, 0), readSub(span, 0)]).toEqual([written, sub]);
      }),
    );
  });

  test.each([
    ['five bytes', 'alarm'],
    ['no underscore', '\0'.repeat(17)],
    ['eighteen bytes that do not end in t', '\0'.repeat(8) + '_' + '\0'.repeat(9)],
    ['a negative revision', '\xff'.repeat(8) + '_' + '\0'.repeat(8)],
  ])('are not %s', (_, key) => {
    expect(isRevisionKey(byteSpan(Buffer.from(key + '\0'.repeat(18), 'latin1')), 0, key.length)).toBe(false);
  });
});

describe('key-value records', () => {
  const [revision] = revisionsOf([{ key: 'a/key', value: Buffer.alloc(3000, 7), sameTransaction: false }]);
  const record = revision?.entry[1] ?? Buffer.alloc(0);

  test('are read with key and value where they lie', () => {
    const reader = new KeyValueReader();
    expect(reader.read(byteSpan(record), 0, record.length, record.length)).toBe(true);
    expect(record.toString('latin1', reader.keyStart, reader.keyEnd)).toBe('a/key');
    expect(reader.valueEnd - reader.valueStart).toBe(3000);
    expect(reader.restAt).toBe(record.length);
  });

  test('may be read in two parts around their value', () => {
    const reader = new KeyValueReader();
    expect(reader.read(byteSpan(record.subarray(0, 100)), 0, 100, record.length)).toBe(true);
    expect(reader.restAt).toBeGreaterThan(3000);
    const rest = record.subarray(reader.restAt);
    expect(reader.readRest(byteSpan(rest), 0, rest.length, rest.length)).toBe(true);
  });

  test('have the key "" where none is written', () => {
    const reader = new KeyValueReader();
    expect(reader.read(byteSpan(record), 50, 50, 50)).toBe(true);
    expect([reader.keyStart, reader.keyEnd, reader.restAt]).toEqual([50, 50, 50]);
    const revisionOnly = Buffer.from([0x18, 7]);
    expect(reader.read(byteSpan(revisionOnly), 0, 2, 2)).toBe(true);
    expect(reader.keyEnd - reader.keyStart).toBe(0);
  });

  test('are refused where they are zeros', () => {
    expect(new KeyValueReader().read(byteSpan(Buffer.alloc(40)), 0, 40, 40)).toBe(false);
  });

  test('are refused, never read beyond, however they are cut or filled', () => {
    const reader = new KeyValueReader();
    for (const end of [1, 3, 6, 8, 10, 500]) expect(reader.read(byteSpan(record), 0, end, end)).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
        const isRecord = reader.read(byteSpan(noise), 0, noise.length, noise.length);
        if (isRecord) expect(Math.max(reader.keyEnd, reader.valueEnd)).toBeLessThanOrEqual(noise.length);
      }),
    );
  });
});
