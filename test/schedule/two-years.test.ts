import { beforeAll, describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import type { TimedJob } from '../../src/schedule/planned-job.ts';
import { Timetable } from '../../src/schedule/timetable.ts';
import { Random } from '../e2e/campaign/random.ts';
import { JobWitness } from './job-witness.ts';
import { decadeMs, TroubledTime } from './troubled-time.ts';

const seed = Number(process.env['SCHEDULE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const [start, end] = ['2027-01-01T00:00:00Z', '2029-01-01T00:00:00Z'] as const;

/** Each with its jitter; times that clocks leave out and show twice among them. */
const schedules = [
  ['backup', '*/30 * * * *', 'run-once', 60_000],
  ['verify', '15 2 * * *', 'run-once', 600_000],
  ['drill', '30 1 * * 0', 'run-once', 0],
  ['prune', '0 8-18 * * 1-5', 'run-once', 300_000],
  ['defrag', '0 * * * *', 'skip', 0],
] as const;

function jobsIn(timeZone: string): { job: TimedJob; witness: JobWitness }[] {
  return schedules.map(([name, expression, missed, jitterMs]) => {
    const job = { job: name, schedule: parseCron(expression), timeZone, jitterMs, missed };
    return { job, witness: new JobWitness(job, expression) };
  });
}

describe('two years of a timetable', { timeout: 120_000 }, () => {
  beforeAll(() => console.log(`SCHEDULE_SEED=${seed}`));

  it.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])(
    'in %s lose no run, double none and let none begin too late, whatever the clock does',
    (timeZone) => {
      const random = new Random(seed);
      const time = new TroubledTime(random, {
        start,
        jumpsMs: [1000, hourMs, dayMs, decadeMs],
        mostWrongMs: 1.1 * decadeMs,
      });
      const jobs = jobsIn(timeZone);
      const witnesses = jobs.map(({ witness }) => witness);
      const begin = (): Timetable => {
        for (const witness of witnesses) witness.begin(time.clock.moment);
        return new Timetable(
          jobs.map(({ job }) => job),
          time.clock.moment,
        );
      };
      let timetable = begin();
      let before = time.clock.moment;
      const endMs = new Date(end).getTime();
      while (time.clock.trueMs < endMs && witnesses.every(({ faults }) => faults.length === 0)) {
        const msToNextDue = Math.min(...witnesses.map(({ nextMs }) => nextMs)) - before.wall.getTime();
        const trouble = time.pass(
          msToNextDue,
          witnesses.some(({ isOpen }) => isOpen),
        );
        const now = time.clock.moment;
        if (trouble === 'restart') timetable = begin();
        else {
          const beat = timetable.beat(now, () => random.between(0, 999) / 1000);
          for (const { job, witness } of jobs) witness.see(before, now, beat, timetable.nextAt(job.job));
        }
        before = now;
      }
      expect(witnesses.flatMap(({ faults }) => faults)).toEqual([]);
      // Nothing above can hold merely because it never came to it.
      const seen = (what: keyof JobWitness['seen']) =>
        witnesses.reduce((sum, { seen: counts }) => sum + counts[what], 0);
      expect(Math.min(...witnesses.map(({ seen: { run } }) => run))).toBeGreaterThan(80);
      expect(Math.min(seen('merged'), seen('shownAgain'), seen('late'), seen('served'))).toBeGreaterThan(20);
      expect(Math.min(...time.seen.values())).toBeGreaterThan(5);
    },
  );
});
