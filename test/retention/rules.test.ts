import { describe, expect, it } from 'vitest';
import { backup, dayMs, every, hourMs, keptIds, outcome, plan, removedIds } from './series.ts';

describe('a retention policy', () => {
  it('keeps the newest keepLast backups', () => {
    expect(outcome(plan({ keepLast: 2 }, every(dayMs, 4, '2026-11-25')))).toEqual({
      '2026-11-25T00:00': 'keep: newest; among the newest 2; one of 1 that always stay',
      '2026-11-24T00:00': 'keep: among the newest 2',
      '2026-11-23T00:00': 'remove: no rule keeps it',
      '2026-11-22T00:00': 'remove: no rule keeps it',
    });
  });

  it('keeps what is younger than keepWithin or exactly as old', () => {
    const backups = every(dayMs, 4, '2026-11-25');
    const found = plan({ keepWithinMs: 2 * dayMs }, backups, { now: new Date('2026-11-25T00:00Z') });
    expect(outcome(found)).toEqual({
      '2026-11-25T00:00': 'keep: newest; younger than 2 d; one of 1 that always stay',
      '2026-11-24T00:00': 'keep: younger than 2 d',
      '2026-11-23T00:00': 'keep: younger than 2 d',
      '2026-11-22T00:00': 'remove: no rule keeps it',
    });
  });

  it.each([
    [36 * hourMs, '36 h'],
    [90 * 60_000, '90 min'],
    [1500, '1500 ms'],
  ])('names a keepWithin of %d ms as %s', (keepWithinMs, name) => {
    const [decision] = plan({ keepWithinMs }, [backup('2026-11-25')], { now: new Date('2026-11-25T00:00Z') }).decisions;
    expect(decision?.reasons).toContain(`younger than ${name}`);
  });

  it('keeps the newest backup of each hour', () => {
    const backups = ['2026-11-25T13:20', '2026-11-25T13:40', '2026-11-25T14:10', '2026-11-25T14:50'].map((id) =>
      backup(id),
    );
    expect(outcome(plan({ hourly: 2 }, backups))).toEqual({
      '2026-11-25T14:50': 'keep: newest; hour 2026-11-25 14; one of 1 that always stay',
      '2026-11-25T14:10': 'remove: no rule keeps it',
      '2026-11-25T13:40': 'keep: hour 2026-11-25 13',
      '2026-11-25T13:20': 'remove: no rule keeps it',
    });
  });

  it('keeps the newest backup of each day', () => {
    expect(keptIds(plan({ daily: 3 }, every(6 * hourMs, 20, '2026-11-25T12:00')))).toEqual([
      '2026-11-25T12:00',
      '2026-11-24T18:00',
      '2026-11-23T18:00',
    ]);
  });

  it('keeps the newest backup of each week, from Monday to Sunday', () => {
    // 25 November 2026 is a Wednesday.
    const found = plan({ weekly: 3 }, every(dayMs, 30, '2026-11-25'));
    expect(keptIds(found)).toEqual(['2026-11-25T00:00', '2026-11-22T00:00', '2026-11-15T00:00']);
    expect(found.decisions[3]?.reasons).toEqual(['week 2026-W47']);
  });

  it('keeps the newest backup of each month and each year', () => {
    const found = plan({ monthly: 3, yearly: 2 }, every(dayMs, 800, '2026-11-25'));
    expect(outcome(found.decisions.filter(({ action }) => action === 'keep'))).toEqual({
      '2026-11-25T00:00': 'keep: newest; month 2026-11; year 2026; one of 1 that always stay',
      '2026-10-31T00:00': 'keep: month 2026-10',
      '2026-09-30T00:00': 'keep: month 2026-09',
      '2025-12-31T00:00': 'keep: year 2025',
    });
  });

  it('counts only periods that have a backup, so that a pause removes nothing', () => {
    const backups = [backup('2026-03-01'), backup('2026-03-02'), backup('2026-11-24'), backup('2026-11-25')];
    expect(removedIds(plan({ daily: 4 }, backups))).toEqual([]);
    expect(removedIds(plan({ daily: 3 }, backups))).toEqual(['2026-03-01']);
  });

  it('keeps what any of its rules keeps, and tells every reason', () => {
    const backups = every(dayMs, 40, '2026-11-25');
    const found = plan({ keepLast: 1, daily: 2, weekly: 2, keepMin: 3 }, backups);
    expect(outcome(found.decisions.slice(0, 5))).toEqual({
      '2026-11-25T00:00': 'keep: newest; among the newest 1; day 2026-11-25; week 2026-W48; one of 3 that always stay',
      '2026-11-24T00:00': 'keep: day 2026-11-24; one of 3 that always stay',
      '2026-11-23T00:00': 'keep: one of 3 that always stay',
      '2026-11-22T00:00': 'keep: week 2026-W47',
      '2026-11-21T00:00': 'remove: no rule keeps it',
    });
  });

  it('orders backups of one second by revision, then by id', () => {
    const at = '2026-11-25T14:00';
    const backups = [
      backup(at, { id: 'older', revision: 9n }),
      backup(at, { id: 'a', revision: 10n }),
      backup(at, { id: 'b', revision: 10n }),
    ];
    const found = plan({ keepLast: 1 }, backups);
    expect(found.decisions.map(({ backup: { id } }) => id)).toEqual(['b', 'a', 'older']);
    expect(keptIds(found)).toEqual(['b']);
  });

  it('has a plan for 10,000 backups at once, newest first', () => {
    const backups = every(hourMs, 10_000, '2026-11-25');
    const policy = { hourly: 10_000, daily: 400, weekly: 100, monthly: 24, yearly: 10, timeZone: 'Europe/Berlin' };
    const started = performance.now();
    const found = plan(policy, backups.toReversed());
    expect(performance.now() - started).toBeLessThan(2000);
    expect(removedIds(found)).toEqual([]);
    expect(found.decisions.map((decision) => decision.backup)).toEqual(backups.toReversed());
  });
});
