import { describe, expect, it } from 'vitest';
import type { BackupFacts } from '../../src/retention/facts.ts';
import type { RetentionPlan } from '../../src/retention/plan.ts';
import { keptByGrouping, ruleOf } from './oracle.ts';
import { backup, dayMs, every, hourMs, keeping, minuteMs, plan, removedIds } from './series.ts';

const days = 400;

const spans = [
  // A leap year with its 29 February, a change of year, and both changes of the clocks.
  ['2027-09-01 to 2028-10-05', '2028-10-05'],
  // Years with an ISO week 53.
  ['2026-06-01 to 2027-07-06', '2027-07-06'],
  ['2020-06-01 to 2021-07-06', '2021-07-06'],
] as const;
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
const cases = spans.flatMap(([span, until]) => zones.map((timeZone) => [span, timeZone, until] as const));

const calendars = {
  hourly: { hourly: 48, keepLast: 3 },
  mixed: {
    keepLast: 24,
    keepWithinMs: 36 * hourMs,
    hourly: 30,
    daily: 14,
    weekly: 8,
    monthly: 12,
    yearly: 2,
    keepMin: 3,
  },
  sparse: { weekly: 60, monthly: 3, yearly: 1 },
};

type Kept = ReadonlyMap<string, ReadonlySet<string>>;

/** What stays and by which rules, in lines: they are compared thousands of times. */
function lines(kept: Kept): string {
  return [...kept]
    .map(([id, rules]) => `${id}: ${[...rules].sort().join(', ')}`)
    .sort()
    .join('\n');
}

function told({ decisions }: RetentionPlan): string {
  const kept = decisions.filter(({ action }) => action === 'keep');
  return lines(new Map(kept.map(({ backup: { id }, reasons }) => [id, new Set(reasons.map(ruleOf))])));
}

// field: F096
describe.each(cases)('hourly backups from %s in %s', { timeout: 60_000 }, (_span, timeZone, until) => {
  // At 37 minutes past: where zones are half or three quarters of an hour off, that is neither at the start nor the end.
  const series = every(hourMs, days * 24, new Date(Date.parse(until) + 37 * minuteMs));
  const after = (facts: BackupFacts | undefined) => new Date((facts?.time.getTime() ?? 0) + minuteMs);

  it.each(Object.entries(calendars))(
    'are thinned day by day as an independent oracle does it: %s',
    (_name, calendar) => {
      const policy = keeping({ ...calendar, timeZone });
      let left: BackupFacts[] = [];
      for (let end = 24; end <= series.length; end += 24) {
        const present = [...left, ...series.slice(end - 24, end)];
        const now = after(present.at(-1));
        const kept = keptByGrouping(policy, present, now);
        // Arrivals are another test's: a series that begins suddenly is not explained by what was before.
        const found = plan(policy, present, { now, accepted: new Set(['unexplained-backups'] as const) });
        expect(found.verdict).toBe('go');
        expect(told(found)).toBe(lines(kept));
        left = present.filter(({ id }) => kept.has(id));
      }
      expect(left.length).toBeGreaterThan(20);
      expect(removedIds(plan(policy, left, { now: after(series.at(-1)) }))).toEqual([]);
    },
  );

  it('are judged as an independent oracle does it when the whole history is there', () => {
    const policy = keeping({ ...calendars.mixed, timeZone });
    for (let day = 33; day <= days; day += 67) {
      const present = series.slice(0, day * 24);
      const now = after(present.at(-1));
      expect(told(plan(policy, present, { now }))).toBe(lines(keptByGrouping(policy, present, now)));
    }
  });
});

describe('backups every 10 minutes over a change of the clocks', { timeout: 60_000 }, () => {
  const changes = ['2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-04-05', '2026-10-04'];
  it.each(zones)('are judged as an independent oracle does it, hour by hour, in %s', (timeZone) => {
    for (const date of changes) {
      const series = every(10 * minuteMs, 60 * 6, new Date(Date.parse(date) + dayMs + 12 * hourMs));
      for (let end = 6; end <= series.length; end += 6) {
        const policy = keeping({ hourly: 40, daily: 2, timeZone });
        const present = series.slice(0, end);
        const now = new Date((present.at(-1) ?? backup(date)).time.getTime() + minuteMs);
        expect(told(plan(policy, present, { now }))).toBe(lines(keptByGrouping(policy, present, now)));
      }
    }
  });
});
