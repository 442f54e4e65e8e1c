import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { latestOccurrence, nextOccurrence } from '../../src/schedule/occurrences.ts';
import { occurrencesBetween } from './occurrences-between.ts';

const next = (expression: string, timeZone: string, after: string): string | undefined =>
  nextOccurrence(parseCron(expression), timeZone, new Date(after))?.toISOString();
const latest = (expression: string, timeZone: string, after: string, until: string): string | undefined =>
  latestOccurrence(parseCron(expression), timeZone, new Date(after), new Date(until))?.toISOString();

/** Times of day in UTC. */
function timesBetween(expression: string, timeZone: string, from: string, until: string): string[] {
  const times = occurrencesBetween(expression, timeZone, new Date(from), new Date(until));
  return times.map((time) => time.toISOString().slice(11, 16));
}

describe('the next time at which a job comes due', () => {
  it('is strictly after the moment asked about', () => {
    expect(next('*/30 * * * *', 'UTC', '2026-11-24T09:59:59.999Z')).toBe('2026-11-24T10:00:00.000Z');
    expect(next('*/30 * * * *', 'UTC', '2026-11-24T10:00:00.000Z')).toBe('2026-11-24T10:30:00.000Z');
    expect(next('* * * * * *', 'UTC', '2026-11-24T10:00:00.001Z')).toBe('2026-11-24T10:00:01.000Z');
  });

  it('is found over days, months and years', () => {
    expect(next('59 59 23 * * *', 'UTC', '2026-12-31T23:59:59Z')).toBe('2027-01-01T23:59:59.000Z');
    expect(next('0 0 31 * *', 'UTC', '2026-11-24T10:00:00Z')).toBe('2026-12-31T00:00:00.000Z');
    expect(next('0 9 * * mon', 'UTC', '2026-11-24T10:00:00Z')).toBe('2026-11-30T09:00:00.000Z');
    // 2100 is no leap year.
    expect(next('0 0 29 2 *', 'UTC', '2096-02-29T00:00:00Z')).toBe('2104-02-29T00:00:00.000Z');
  });

  it('is by the clocks of the zone, before and beyond UTC', () => {
    expect(next('15 3 * * *', 'Asia/Kathmandu', '2026-11-24T00:00:00Z')).toBe('2026-11-24T21:30:00.000Z');
    expect(next('15 3 * * *', 'America/New_York', '2026-11-24T00:00:00Z')).toBe('2026-11-24T08:15:00.000Z');
    expect(next('0 12 * * *', '+05:30', '2026-11-24T00:00:00Z')).toBe('2026-11-24T06:30:00.000Z');
  });

  it('is known for a clock that has never been set', () => {
    expect(next('15 3 * * *', 'Europe/Berlin', '1970-01-01T00:00:00Z')).toBe('1970-01-01T02:15:00.000Z');
  });

  it('is unknown where none comes within nine years', () => {
    const never = { ...parseCron('0 0 30 1 *'), months: [2] };
    expect(nextOccurrence(never, 'Europe/Berlin', new Date('2026-11-24T00:00:00Z'))).toBeUndefined();
    expect(latestOccurrence(never, 'UTC', new Date('2026-11-24T00:00:00Z'), new Date('2036-11-24'))).toBeUndefined();
  });
});

describe('the latest time at which a job came due', () => {
  it('is after the one moment and not after the other', () => {
    expect(latest('*/30 * * * *', 'UTC', '2026-11-24T09:00:00Z', '2026-11-24T10:29:59.999Z')).toBe(
      '2026-11-24T10:00:00.000Z',
    );
    expect(latest('*/30 * * * *', 'UTC', '2026-11-24T09:00:00Z', '2026-11-24T10:00:00Z')).toBe(
      '2026-11-24T10:00:00.000Z',
    );
    expect(latest('*/30 * * * *', 'UTC', '2026-11-24T10:00:00Z', '2026-11-24T10:29:00Z')).toBeUndefined();
  });

  it('is found in ten years as in a minute', () => {
    expect(latest('* * * * * *', 'Europe/Berlin', '2026-11-24T10:00:00Z', '2036-11-24T10:00:00.500Z')).toBe(
      '2036-11-24T10:00:00.000Z',
    );
    expect(latest('0 0 29 2 *', 'UTC', '2026-11-24T10:00:00Z', '2036-11-24T10:00:00Z')).toBe(
      '2036-02-29T00:00:00.000Z',
    );
    // Sixty in a row, once a year.
    expect(latest('* 3 1 1 *', 'UTC', '2026-11-24T10:00:00Z', '2036-01-01T03:30:10Z')).toBe('2036-01-01T03:30:00.000Z');
  });
});

describe('where clocks change', () => {
  const spring = ['2026-03-27T23:00:00Z', '2026-03-29T22:00:00Z'] as const;
  const autumn = ['2026-10-23T22:00:00Z', '2026-10-25T23:00:00Z'] as const;

  // field: F146
  it.each([
    ['30 2 * * *', 2, 2],
    ['0 * * * *', 47, 49],
    ['*/30 * * * *', 94, 98],
  ])(
    '%s comes %i times in two days of spring and %i times in two of autumn in Berlin',
    (expression, shorter, longer) => {
      expect(timesBetween(expression, 'Europe/Berlin', ...spring)).toHaveLength(shorter);
      expect(timesBetween(expression, 'Europe/Berlin', ...autumn)).toHaveLength(longer);
    },
  );

  it('a daily job whose time is left out comes right after the gap, and once where its time comes twice', () => {
    expect(timesBetween('30 2 * * *', 'Europe/Berlin', ...spring)).toEqual(['01:30', '01:00']);
    expect(timesBetween('30 2 * * *', 'Europe/Berlin', ...autumn)).toEqual(['00:30', '00:30']);
  });

  it('several times that are left out come as one, together with one that is there anyway', () => {
    const sunday = ['2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z'] as const;
    expect(timesBetween('0,15,30 1-4 * * *', 'Europe/Berlin', ...sunday)).toEqual([
      '00:00',
      '00:15',
      '00:30',
      '01:00',
      '01:15',
      '01:30',
    ]);
    expect(timesBetween('10,20 2 * * *', 'Europe/Berlin', ...sunday)).toEqual(['01:00']);
    // Every second hour: two o'clock is left out, and four is too far.
    expect(timesBetween('0 */2 * * *', 'Europe/Berlin', '2026-03-28T22:00:00Z', '2026-03-29T04:00:00Z')).toEqual([
      '23:00',
      '01:00',
      '02:00',
    ]);
  });

  it('a job of some hours counts each of their names once', () => {
    const night = ['2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z'] as const;
    expect(timesBetween('0,30 1-4 * * *', 'Europe/Berlin', ...night)).toEqual(['00:00', '00:30', '02:00', '02:30']);
  });

  it('half an hour is less than the distance of an hourly job, so it is made up for', () => {
    const lordHowe = 'Australia/Lord_Howe';
    // 02:00 to 02:30 is left out.
    const gap = ['2026-10-03T14:00:00Z', '2026-10-03T17:00:00Z'] as const;
    expect(timesBetween('0 * * * *', lordHowe, ...gap)).toEqual(['14:30', '15:30', '16:00']);
    expect(timesBetween('*/30 * * * *', lordHowe, ...gap)).toEqual([
      '14:00',
      '14:30',
      '15:00',
      '15:30',
      '16:00',
      '16:30',
    ]);
    expect(timesBetween('15 2 * * *', lordHowe, ...gap)).toEqual(['15:30']);
    // 01:30 to 02:00 comes twice.
    const fold = ['2026-04-04T14:00:00Z', '2026-04-04T17:00:00Z'] as const;
    expect(timesBetween('*/30 * * * *', lordHowe, ...fold)).toEqual([
      '14:00',
      '14:30',
      '15:00',
      '15:30',
      '16:00',
      '16:30',
    ]);
    expect(timesBetween('45 1 * * *', lordHowe, ...fold)).toEqual(['14:45']);
    expect(timesBetween('0 * * * *', lordHowe, ...fold)).toEqual(['14:00', '15:30', '16:30']);
  });

  it('a midnight that is left out is made up for on the same day', () => {
    expect(timesBetween('0 0 * * *', 'Africa/Cairo', '2026-04-23T00:00:00Z', '2026-04-25T00:00:00Z')).toEqual([
      '22:00',
      '21:00',
    ]);
    expect(next('0 0 24 4 *', 'Africa/Cairo', '2026-04-23T21:59:59.999Z')).toBe('2026-04-23T22:00:00.000Z');
    expect(next('0 0 24 4 *', 'Africa/Cairo', '2026-04-23T22:00:00Z')).toBe('2027-04-23T22:00:00.000Z');
  });

  it('a day that ends twice has one midnight', () => {
    // In Nuuk the hour before midnight comes twice.
    expect(timesBetween('0 0 * * *', 'America/Nuuk', '2026-10-24T00:00:00Z', '2026-10-26T00:00:00Z')).toEqual([
      '01:00',
      '02:00',
    ]);
    expect(timesBetween('30 23 * * *', 'America/Nuuk', '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toEqual([
      '00:30',
    ]);
  });

  // field: F147
  it('a job of every half minute goes on evenly through the night', () => {
    const times = occurrencesBetween(
      '*/30 * * * * *',
      'Europe/Vienna',
      new Date('2025-10-25T22:00Z'),
      new Date('2025-10-26T23:00Z'),
    );
    const distances = new Set(times.slice(1).map((time, index) => time.getTime() - (times[index]?.getTime() ?? 0)));
    expect(times).toHaveLength(25 * 120);
    expect(distances).toEqual(new Set([30_000]));
  });
});
