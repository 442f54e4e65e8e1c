import { describe, expect, it } from 'vitest';
import { backup, keptIds, outcome, plan } from './series.ts';

const named = (...ids: string[]) => ids.map((id) => backup(id));

describe('the calendar of retention', () => {
  it('begins days where the time zone does', () => {
    // In Berlin the last two are of one day, 26 November; in UTC the first two are.
    const backups = named('2026-11-25T20:00', '2026-11-25T22:30', '2026-11-25T23:30', '2026-11-26T10:00');
    expect(keptIds(plan({ daily: 2 }, backups))).toEqual(['2026-11-26T10:00', '2026-11-25T23:30']);
    expect(keptIds(plan({ daily: 2, timeZone: 'Europe/Berlin' }, backups))).toEqual([
      '2026-11-26T10:00',
      '2026-11-25T22:30',
    ]);
  });

  it('begins hours where the time zone does, also at a quarter to', () => {
    // Kathmandu is 5:45 ahead: its hours begin at quarter past in UTC.
    const backups = named('2026-11-25T10:05', '2026-11-25T10:10', '2026-11-25T10:20');
    expect(outcome(plan({ hourly: 2, timeZone: 'Asia/Kathmandu' }, backups))).toEqual({
      '2026-11-25T10:20': 'keep: newest; hour 2026-11-25 16; one of 1 that always stay',
      '2026-11-25T10:10': 'keep: hour 2026-11-25 15',
      '2026-11-25T10:05': 'remove: no rule keeps it',
    });
  });

  it('takes an hour that is repeated when the clocks go back for two', () => {
    const backups = named('2026-10-25T00:10', '2026-10-25T00:50', '2026-10-25T01:10', '2026-10-25T01:50');
    expect(outcome(plan({ hourly: 5, timeZone: 'Europe/Berlin' }, backups))).toEqual({
      '2026-10-25T01:50': 'keep: newest; hour 2026-10-25 02 +01:00; one of 1 that always stay',
      '2026-10-25T01:10': 'remove: no rule keeps it',
      '2026-10-25T00:50': 'keep: hour 2026-10-25 02',
      '2026-10-25T00:10': 'remove: no rule keeps it',
    });
  });

  it('takes a day of 25 hours for one', () => {
    const backups = named('2026-10-24T22:00', '2026-10-25T22:59', '2026-10-25T23:00');
    expect(keptIds(plan({ daily: 3, timeZone: 'Europe/Berlin' }, backups))).toEqual([
      '2026-10-25T23:00',
      '2026-10-25T22:59',
    ]);
  });

  it('knows an hour from the next where the clocks go forward', () => {
    const backups = named('2026-03-29T00:59', '2026-03-29T01:00');
    expect(outcome(plan({ hourly: 2, timeZone: 'Europe/Berlin' }, backups))).toEqual({
      '2026-03-29T01:00': 'keep: newest; hour 2026-03-29 03 +02:00; one of 1 that always stay',
      '2026-03-29T00:59': 'keep: hour 2026-03-29 01',
    });
  });

  it.each([
    ['2020-12-31', '2020-W53'],
    ['2021-01-03', '2020-W53'],
    ['2021-01-04', '2021-W01'],
    ['2024-12-30', '2025-W01'],
    ['2026-12-28', '2026-W53'],
    ['2027-01-03', '2026-W53'],
    ['2028-01-02', '2027-W52'],
  ])('puts %s into the ISO week %s', (date, name) => {
    const [decision] = plan({ weekly: 1 }, [backup(date)]).decisions;
    expect(decision?.reasons).toContain(`week ${name}`);
  });

  it('has a 29th of February', () => {
    expect(keptIds(plan({ monthly: 2 }, named('2028-02-28', '2028-02-29', '2028-03-01')))).toEqual([
      '2028-03-01',
      '2028-02-29',
    ]);
  });
});
