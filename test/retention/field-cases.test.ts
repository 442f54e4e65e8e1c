import { describe, expect, it } from 'vitest';
import type { BackupFacts } from '../../src/retention/facts.ts';
import { backup, carryOut, dayMs, every, hourMs, keptIds, plan, refusalOf, removedIds } from './series.ts';

const at = (time: string) => new Date(`${time}Z`);

describe('what others lost backups by', () => {
  // field: F083
  it('ten days without a backup remove nothing, and afterwards the plan goes down to policy', () => {
    const policy = { keepWithinMs: 3 * dayMs, keepMin: 3 };
    const before = every(hourMs, 73, '2026-11-01T00:00');
    expect(removedIds(plan(policy, before, { now: at('2026-11-01T00:00') }))).toEqual([]);

    const during = plan(policy, before, { now: at('2026-11-11T00:00') });
    expect(refusalOf(during)).toBe(
      'no-recent-backup: the newest backup that counts is 10 d old, and the last ones came at most 1 h apart: until a new one is there the old ones stay',
    );
    // Who accepts that means it; then the newest keepMin stay whatever their age.
    const accepted = new Set(['no-recent-backup'] as const);
    const named = plan(policy, before, { now: at('2026-11-11T00:00'), accepted });
    expect(named.verdict).toBe('go');
    expect(keptIds(named)).toEqual(['2026-11-01T00:00', '2026-10-31T23:00', '2026-10-31T22:00']);

    const after = plan(policy, [...before, backup('2026-11-11T00:00')], { now: at('2026-11-11T00:01') });
    expect(after.verdict).toBe('go');
    expect(keptIds(after)).toEqual(['2026-11-11T00:00', '2026-11-01T00:00', '2026-10-31T23:00']);
  });

  // field: F083
  it('ten days without a backup remove nothing at all where the policy counts hours', () => {
    const policy = { hourly: 72 };
    const before = carryOut(plan(policy, every(hourMs, 90, '2026-11-01T00:00')));
    expect(before).toHaveLength(72);
    for (let day = 1; day <= 10; day++) {
      expect(removedIds(plan(policy, before, { now: at(`2026-11-${String(day).padStart(2, '0')}T12:00`) }))).toEqual(
        [],
      );
    }
    expect(removedIds(plan(policy, [...before, backup('2026-11-11T00:00')]))).toHaveLength(1);
  });

  // field: F087
  it('one policy of 7 daily and 2 weekly ones leaves 7 and 2 after 30 days, on every day of the week', () => {
    let left: BackupFacts[] = [];
    for (const next of every(dayMs, 30, '2026-11-29T03:00')) {
      left = carryOut(plan({ daily: 7, weekly: 2 }, [...left, next]));
      const daily = every(dayMs, 7, next.time).filter(({ time }) => time >= at('2026-10-31T03:00'));
      expect(left).toEqual(expect.arrayContaining(daily));
      // The last Sunday is one of the seven days, but on a Sunday: then it is the one before.
      const isSunday = next.time.getUTCDay() === 0;
      expect(left).toHaveLength(isSunday && daily.length === 7 ? 8 : daily.length);
    }
    expect(left.map(({ id }) => id.slice(5, 10)).at(-1)).toBe('11-22');
  });

  // field: F092
  it('failed and damaged ones take no place: both good ones stay', () => {
    const backups = [
      backup('2026-11-20'),
      backup('2026-11-21'),
      ...['2026-11-22', '2026-11-23', '2026-11-24'].map((id) => backup(id, { state: 'damaged' })),
    ];
    expect(keptIds(plan({ keepLast: 2 }, backups))).toEqual(expect.arrayContaining(['2026-11-20', '2026-11-21']));
    const third = plan({ keepLast: 2 }, [...backups, backup('2026-11-25')]);
    expect(removedIds(third)).toEqual(['2026-11-20']);
  });

  // field: F094
  it.each([
    [0, 0],
    [1, 0],
    [9, 0],
    [10, 0],
    [11, 1],
  ])('the newest 10 of %d: %d go', (count, removed) => {
    const found = plan({ keepLast: 10 }, every(dayMs, count, '2026-11-25'));
    expect(found.verdict).toBe('go');
    expect(removedIds(found)).toHaveLength(removed);
  });
});
