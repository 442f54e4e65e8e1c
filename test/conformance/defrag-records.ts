import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DefragRecord, DefragRecords } from '../../src/ports/defrag-records.ts';
import { wardenError } from '../support/errors.ts';

export interface DefragRecordsSubject extends AsyncDisposable {
  /** The same records, as two processes have them. */
  readonly one: DefragRecords;
  readonly other: DefragRecords;
}

const record: DefragRecord = {
  at: new Date('2026-11-25T03:00:00.123Z'),
  beforeBytes: 2_147_483_648,
  afterBytes: 536_870_912,
  durationMs: 4321.5,
  failures: 0,
};

/** What every implementation of the port holds to. */
export function describeDefragRecordsConformance(name: string, makeSubject: () => Promise<DefragRecordsSubject>): void {
  describe(`defrag records port: ${name}`, () => {
    const { signal } = new AbortController();
    let subject: DefragRecordsSubject;

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    test('knows nothing at first, and later what any process wrote, member by member', async () => {
      expect(await subject.one.readAll(signal)).toEqual(new Map());
      const unfinished = { ...record, afterBytes: undefined, failures: 2 };
      const highestId = 2n ** 64n - 1n;
      await subject.one.write(1n, record, signal);
      await subject.other.write(highestId, unfinished, signal);
      const expected = new Map<bigint, DefragRecord>([
        [1n, record],
        [highestId, unfinished],
      ]);
      expect(await subject.one.readAll(signal)).toEqual(expected);
      expect(await subject.other.readAll(signal)).toEqual(expected);
    });

    test('keeps the newest of each member', async () => {
      await subject.one.write(1n, record, signal);
      const newer = { ...record, at: new Date('2026-11-26T03:00:00Z'), failures: 1 };
      await subject.other.write(1n, newer, signal);
      expect((await subject.one.readAll(signal)).get(1n)).toEqual(newer);
    });

    test('an aborted signal rejects as interrupted', async () => {
      const aborted = AbortSignal.abort();
      await expect(subject.one.readAll(aborted)).rejects.toEqual(wardenError('interrupted'));
      await expect(subject.one.write(3n, record, aborted)).rejects.toEqual(wardenError('interrupted'));
      expect((await subject.one.readAll(signal)).has(3n)).toBe(false);
    });
  });
}
