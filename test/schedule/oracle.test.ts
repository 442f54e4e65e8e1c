import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { latestOccurrence, occurrenceBefore } from '../../src/schedule/occurrences.ts';
import { dueMinutes } from './minute-oracle.ts';
import { occurrencesBetween } from './occurrences-between.ts';
import { anyExpression } from './random-schedules.ts';

const seed = Number(process.env['SCHEDULE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const dayMs = 86_400_000;

/** Days on which the clocks of a zone change, in all the ways in which they do. */
const changes = [
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/New_York', '2027-03-14'],
  ['America/New_York', '2027-11-07'],
  // Half an hour.
  ['Australia/Lord_Howe', '2026-04-04'],
  ['Australia/Lord_Howe', '2026-10-03'],
  // Two hours.
  ['Antarctica/Troll', '2026-03-29'],
  ['Antarctica/Troll', '2026-10-25'],
  // Over midnight.
  ['Africa/Cairo', '2026-04-24'],
  ['Africa/Cairo', '2026-10-29'],
  ['America/Nuuk', '2026-03-29'],
  ['America/Nuuk', '2026-10-25'],
  // A whole day was left out, once.
  ['Pacific/Apia', '2011-12-30'],
  // For Ramadan, back and forth within five weeks.
  ['Africa/Casablanca', '2025-02-23'],
  ['Asia/Kathmandu', '2026-11-24'],
] as const;

const iso = (times: readonly Date[]): string[] => times.map((time) => time.toISOString());

describe('when a schedule comes due', { timeout: 120_000 }, () => {
  beforeAll(() => console.log(`SCHEDULE_SEED=${seed}`));

  it('is what a look at every minute finds, around every kind of change of the clocks', () => {
    let found = 0;
    fc.assert(
      fc.property(anyExpression, fc.constantFrom(...changes), (expression, [timeZone, day]) => {
        const from = new Date(new Date(day).getTime() - dayMs);
        const until = new Date(from.getTime() + 3 * dayMs);
        const due = occurrencesBetween(expression, timeZone, from, until);
        expect(iso(due)).toEqual(iso(dueMinutes(expression, timeZone, from, until)));
        found += due.length;
      }),
      { seed, numRuns: 600 },
    );
    expect(found).toBeGreaterThan(5_000);
  });

  it.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])(
    'is what a look at every minute of two years finds in %s',
    (timeZone) => {
      for (const expression of [
        '0 * * * *',
        '*/45 */2 * * *',
        '30 1 * * *',
        '15 2 * * *',
        '0 8-18 * * 1-5',
        '5 0 29 2 *',
      ]) {
        const [from, until] = [new Date('2027-01-01T00:00Z'), new Date('2029-01-01T00:00Z')];
        const due = iso(occurrencesBetween(expression, timeZone, from, until));
        expect(due).toEqual(iso(dueMinutes(expression, timeZone, from, until)));
      }
    },
  );

  it('is found backwards as forwards', () => {
    const within = fc.integer({ min: 0, max: 3 * dayMs });
    fc.assert(
      fc.property(
        anyExpression,
        fc.constantFrom(...changes),
        within,
        within,
        (expression, [timeZone, day], one, other) => {
          const start = new Date(day).getTime() - dayMs;
          const [after, until] = [new Date(start + Math.min(one, other)), new Date(start + Math.max(one, other))];
          const schedule = parseCron(expression);
          const due = occurrencesBetween(
            expression,
            timeZone,
            new Date(after.getTime() + 1),
            new Date(until.getTime() + 1),
          );
          expect(latestOccurrence(schedule, timeZone, after, until)).toEqual(due.at(-1));
          if (due.length > 1) expect(occurrenceBefore(schedule, timeZone, due.at(-1) ?? until)).toEqual(due.at(-2));
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
