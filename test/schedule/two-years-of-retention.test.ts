import { beforeAll, describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { Timetable } from '../../src/schedule/timetable.ts';
import { Random } from '../e2e/campaign/random.ts';
import { MisdatedRepository } from './misdated-repository.ts';
import { decadeMs, TroubledTime } from './troubled-time.ts';

const seed = Number(process.env['SCHEDULE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const hourMs = 3_600_000;
const endMs = new Date('2029-01-01T00:00:00Z').getTime();

describe('two years of retention', { timeout: 120_000 }, () => {
  beforeAll(() => console.log(`SCHEDULE_SEED=${seed}`));

  it.each([
    ['UTC', [1000]],
    ['Europe/Berlin', [hourMs]],
    ['America/New_York', [24 * hourMs]],
    ['Australia/Lord_Howe', [1000, hourMs, 24 * hourMs]],
  ])(
    'in %s remove nothing that a right clock would keep, with jumps of %j ms and of ten years',
    (timeZone, jumpsMs) => {
      const random = new Random(seed);
      const time = new TroubledTime(random, {
        start: '2027-01-01T00:00:00Z',
        jumpsMs: [...jumpsMs, decadeMs],
        mostWrongMs: 1.1 * decadeMs,
      });
      const { clock } = time;
      const job = 'backup';
      const schedule = parseCron('0 */12 * * *');
      const begin = () =>
        new Timetable([{ job, schedule, timeZone, jitterMs: 60_000, missed: 'run-once' }], clock.moment);
      let timetable = begin();
      const repository = new MisdatedRepository(timeZone, 2, clock);
      while (clock.trueMs < endMs && repository.faults.length === 0) {
        const msToNext = (timetable.nextAt(job)?.getTime() ?? 0) - clock.moment.wall.getTime();
        const trouble = time.pass(Math.max(0, msToNext), msToNext < 60_000);
        if (trouble === 'restart') timetable = begin();
        else if (timetable.beat(clock.moment, () => random.between(0, 999) / 1000).due.length > 0)
          repository.backUp(clock);
      }
      expect(repository.faults).toEqual([]);
      expect(repository.seen.removed).toBeGreaterThan(500);
      expect(repository.seen.refused).toBeGreaterThan(100);
    },
  );
});
