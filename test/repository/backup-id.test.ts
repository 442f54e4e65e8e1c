import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBackupId, parseBackupId } from '../../src/repository/backup-id.ts';

const times = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
const revisions = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const random = fc.uint8Array({ minLength: 5, maxLength: 5 });

describe('a backup id', () => {
  it('names its time, its revision and 40 random bits', () => {
    const bytes = Uint8Array.from([0, 1, 2, 254, 255]);
    expect(makeBackupId(new Date('2026-11-24T14:00:00.999Z'), 228678n, bytes).text).toBe(
      '20261124T140000Z-r228678-000g5zqz',
    );
  });

  it('is read back as it was made, for any time, revision and random bits', () => {
    fc.assert(
      fc.property(times, revisions, random, (time, revision, bytes) => {
        const id = makeBackupId(time, revision, bytes);
        expect(parseBackupId(id.text)).toEqual(id);
      }),
    );
  });

  it('has whole seconds, so that the id alone tells its time', () => {
    expect(makeBackupId(new Date('2026-01-02T03:04:05.999Z'), 1n, new Uint8Array(5)).time).toEqual(
      new Date('2026-01-02T03:04:05Z'),
    );
  });

  it('sorts by time as text', () => {
    fc.assert(
      fc.property(times, times, revisions, revisions, random, (one, other, r1, r2, bytes) => {
        const [a, b] = [makeBackupId(one, r1, bytes), makeBackupId(other, r2, bytes)];
        if (a.time < b.time) expect(a.text < b.text).toBe(true);
      }),
    );
  });

  it('differs in its last part for different random bits', () => {
    fc.assert(
      fc.property(random, random, (one, other) => {
        const [a, b] = [one, other].map((bytes) => makeBackupId(new Date(0), 1n, bytes).text);
        expect(a === b).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });

  it('keeps revisions that a double cannot hold', () => {
    expect(parseBackupId('20260101T000000Z-r9007199254740993-00000000')?.revision).toBe(9007199254740993n);
  });

  it.each([
    ['30 February', '20260230T000000Z-r1-00000000'],
    ['29 February of a common year', '20250229T000000Z-r1-00000000'],
    ['a 24th hour', '20260101T240000Z-r1-00000000'],
    ['a leap second', '20261231T235960Z-r1-00000000'],
    ['a month 13', '20261301T000000Z-r1-00000000'],
    ['a revision with leading zeros', '20260101T000000Z-r01-00000000'],
    ['a negative revision', '20260101T000000Z-r-1-00000000'],
    ['letters that are taken for digits', '20260101T000000Z-r1-0000000o'],
    ['upper case', '20260101T000000Z-r1-0000000A'],
    ['a random part that is too short', '20260101T000000Z-r1-0000000'],
    ['something after it', '20260101T000000Z-r1-00000000 '],
    ['a line break after it', '20260101T000000Z-r1-00000000\n'],
    ['nothing', ''],
  ])('is not read from text with %s', (_, text) => {
    expect(parseBackupId(text)).toBeUndefined();
  });
});
