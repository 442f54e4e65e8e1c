import { describe, expect, it } from 'vitest';
import { backup, dayMs, every, hourMs, minuteMs, plan, refusalOf } from './series.ts';

/** Twelve a day for ten days, then what came within the last 24 hours: their dates are sound, only their number is odd. */
const history = every(2 * hourMs, 120, '2026-11-24T10:00');
const flood = (count: number) =>
  every(minuteMs, count, '2026-11-25T11:59').map((facts, at) => ({ ...facts, id: `new${at}` }));
const now = new Date('2026-11-25T12:00Z');
/** Leaves the days before whole, so that they can be compared with. */
const policy = { keepWithinMs: 3 * dayMs };

describe('retention, when more backups came within a day than anything explains,', () => {
  it('refuses to let them push out the history', () => {
    expect(refusalOf(plan(policy, [...history, ...flood(47)], { now }))).toBe(
      'unexplained-backups: 47 backups came within the last 24 h, more than 3 times the 12 a day that earlier days brought, and 10',
    );
  });

  it('goes on at three times what earlier days brought and ten', () => {
    expect(refusalOf(plan(policy, [...history, ...flood(46)], { now }))).toBe('go');
  });

  it('goes by the schedule where there is one', () => {
    expect(refusalOf(plan(policy, [...history, ...flood(46)], { now, expectedPerDay: 12 }))).toBe('go');
    expect(refusalOf(plan(policy, [...history, ...flood(47)], { now, expectedPerDay: 12 }))).toBe(
      'unexplained-backups: 47 backups came within the last 24 h, more than 3 times the 12 a day that the schedule brings, and 10',
    );
  });

  it('goes by the busiest of the earlier days', () => {
    const busy = every(minuteMs, 40, '2026-11-23T11:00').map((facts, at) => ({ ...facts, id: `busy${at}` }));
    const found = plan(policy, [...history, ...busy, ...flood(140)], { now });
    expect(refusalOf(found)).toBe('go');
  });

  it('counts those in doubt too, by when they were stored', () => {
    const forged = flood(60).map((facts) => ({ ...facts, state: 'damaged' as const, time: new Date('2026-10-01') }));
    expect(plan(policy, [...history, ...forged], { now })).toMatchObject({ because: 'unexplained-backups' });
  });

  it('goes on when the operator accepts them', () => {
    expect(
      refusalOf(
        plan(policy, [...history, ...flood(300)], { now, accepted: new Set(['unexplained-backups'] as const) }),
      ),
    ).toBe('go');
  });

  it('does not judge by days that the policy has thinned', () => {
    const thinned = every(dayMs, 10, '2026-11-24T10:00');
    expect(refusalOf(plan({ daily: 7 }, [...thinned, ...flood(300)], { now }))).toBe('go');
  });

  it('does not judge a first day by the days before it', () => {
    expect(refusalOf(plan(policy, flood(300), { now }))).toBe('go');
  });

  it('does not refuse where nothing would be removed', () => {
    expect(refusalOf(plan({ keepLast: 999 }, [...history, ...flood(300)], { now, expectedPerDay: 1 }))).toBe('go');
  });

  it.each([
    ['the newest 100, every 10 minutes', { keepLast: 100, daily: 9 }, 10 * minuteMs],
    ['hourly ones, every 10 minutes', { hourly: 24, daily: 9 }, 10 * minuteMs],
    ['those of 12 hours, every 5 minutes', { keepWithinMs: dayMs / 2, daily: 9 }, 5 * minuteMs],
  ])('never takes its own thinning for a quiet past: %s', (_name, kept, stepMs) => {
    let left = every(stepMs, 1, '2026-11-01');
    const verdicts = new Set<string>();
    for (let time = Date.parse('2026-11-01T00:00Z'); time < Date.parse('2026-11-05T00:00Z'); time += stepMs) {
      const found = plan(kept, [...left, backup(new Date(time), { id: String(time) })], {
        now: new Date(time + minuteMs),
      });
      verdicts.add(refusalOf(found));
      left = found.decisions.filter(({ action }) => action === 'keep').map((decision) => decision.backup);
    }
    expect([...verdicts]).toEqual(['go']);
  });
});
