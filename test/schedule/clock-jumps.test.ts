import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import type { TimedJob } from '../../src/schedule/planned-job.ts';
import { Timetable } from '../../src/schedule/timetable.ts';
import { beatFor, begun, leftOut, passedOver, VirtualClock, type ToldBeat } from './virtual-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const decadeMs = 3652 * dayMs;

/** A job that makes up for missed runs has made up already. */
function start(cron: string, at: string, { missed = 'run-once', ...changes }: Partial<TimedJob> = {}) {
  const clock = new VirtualClock(at);
  const job = { job: 'backup', schedule: parseCron(cron), timeZone: 'UTC', jitterMs: 0, missed, ...changes };
  const timetable = new Timetable([job], clock.moment);
  timetable.beat(clock.moment, () => 0);
  return { clock, timetable };
}

const distances = (beats: readonly ToldBeat[]): number[] => {
  const starts = beats.filter(({ due }) => due.length > 0).map(({ at }) => at.monotonicMs);
  return starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? 0));
};

describe('a wall clock that goes forward', () => {
  it.each([
    ['an hour', hourMs, '24 11:30:00'],
    ['a day', dayMs, '25 10:30:00'],
    ['ten years', decadeMs, '2036-11-23 10:30:00'],
  ])('by %s makes one run of all that it passes over', (_, jumpMs, last) => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:29:00Z');
    clock.jump(jumpMs);
    const beats = beatFor(timetable, clock, 2 * minuteMs);
    // The one that it passes over, and the one that comes now.
    expect(begun(beats)).toHaveLength(2);
    expect(begun(beats).at(-1)).toContain(last);
    expect(beats[0]?.due).toMatchObject([{ since: new Date('2026-11-24T10:30:00Z'), isShownAgain: false }]);
  });

  it('makes no run of them where missed ones are skipped', () => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T03:00:00Z', { missed: 'skip' });
    clock.jump(decadeMs);
    clock.jump(hourMs);
    const beats = beatFor(timetable, clock, dayMs);
    expect(leftOut(beats)).toEqual(['2036-11-23 03:15:00 late']);
    expect(passedOver(beats)).toEqual(['24 03:15:00 missed']);
    expect(begun(beats)).toEqual(['2036-11-24 03:15:00 at 2036-11-24 03:15:00']);
  });

  it('costs no more for ten years of seconds than for a minute of them', () => {
    const schedule = parseCron('* * * * * *');
    let looks = 0;
    const counted = {
      ...schedule,
      get months() {
        looks += 1;
        return schedule.months;
      },
    };
    const clock = new VirtualClock('2026-11-24T10:00:00Z');
    const timetable = new Timetable(
      [{ job: 'backup', schedule: counted, timeZone: 'Europe/Berlin', jitterMs: 0, missed: 'run-once' }],
      clock.moment,
    );
    for (const jumpMs of [minuteMs, decadeMs, -decadeMs, -2 * decadeMs]) {
      clock.jump(jumpMs);
      looks = 0;
      beatFor(timetable, clock, 1000);
      expect(looks).toBeLessThan(200);
    }
  });
});

describe('a wall clock that goes back', () => {
  it.each([
    ['two seconds', 2000],
    ['ten minutes', 10 * minuteMs],
    ['an hour', hourMs],
  ])('by %s does not let a daily job run again', (_, jumpMs) => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T03:14:59Z');
    const before = beatFor(timetable, clock, 1000);
    clock.jump(-jumpMs);
    const after = beatFor(timetable, clock, dayMs + jumpMs);
    expect(begun(before)).toEqual(['24 03:15:00 at 24 03:15:00']);
    expect(begun(after)).toEqual(['25 03:15:00 at 25 03:15:00']);
    expect(leftOut(after)).toEqual(['24 03:15:00 served']);
  });

  it('lets a time come again only after half of the usual distance', () => {
    for (const [backMs, begins, isLeftOut] of [
      [29 * minuteMs, [], ['24 10:00:00 served']],
      [31 * minuteMs, ['24 10:00:00 at 24 10:00:00'], []],
    ] as const) {
      const { clock, timetable } = start('0 * * * *', '2026-11-24T09:59:59Z');
      beatFor(timetable, clock, 10 * minuteMs);
      clock.jump(-backMs);
      const beats = beatFor(timetable, clock, backMs);
      expect([begun(beats), leftOut(beats)]).toEqual([begins, isLeftOut]);
      expect(begun(beatFor(timetable, clock, hourMs))).toEqual(['24 11:00:00 at 24 11:00:00']);
    }
  });

  it.each([
    ['a day', dayMs],
    ['ten years', decadeMs],
  ])('by %s is not waited out: jobs go on at their distance', (_, jumpMs) => {
    for (const cron of ['*/30 * * * *', '0 * * * *']) {
      const { clock, timetable } = start(cron, '2026-11-24T10:00:01Z');
      beatFor(timetable, clock, 10 * minuteMs);
      clock.jump(-jumpMs);
      const beats = beatFor(timetable, clock, dayMs);
      expect(new Set(distances(beats))).toEqual(new Set([cron.startsWith('0') ? hourMs : 30 * minuteMs]));
      expect(begun(beats)).toHaveLength(cron.startsWith('0') ? 24 : 48);
      expect(leftOut(beats)).toEqual([]);
    }
  });

  it('by ten years and forward again neither repeats nor stops anything', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T09:59:59Z');
    beatFor(timetable, clock, 10 * minuteMs);
    clock.jump(-decadeMs);
    beatFor(timetable, clock, 10 * minuteMs);
    clock.jump(decadeMs);
    const beats = beatFor(timetable, clock, 3 * hourMs);
    // What was passed over ends with the run of twenty minutes ago.
    expect(leftOut(beats)).toEqual(['24 10:00:00 served']);
    expect(begun(beats).map((text) => text.slice(0, 8))).toEqual(['24 11:00', '24 12:00', '24 13:00']);
  });

  it('after it went forward runs what the run in between stood for, once that is long enough ago', () => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:20:00Z');
    clock.jump(decadeMs);
    expect(begun(beatFor(timetable, clock, minuteMs))).toHaveLength(1);
    clock.jump(-decadeMs);
    const beats = beatFor(timetable, clock, hourMs);
    expect(leftOut(beats)).toEqual(['24 10:30:00 served']);
    expect(begun(beats)).toEqual(['24 11:00:00 at 24 11:00:00']);
    expect(beats.at(-1)?.due).toMatchObject([{ isShownAgain: true }]);
  });

  it('while a run waits for its jitter makes one run of both', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T09:59:59Z', { jitterMs: 60_000 });
    const late = { random: () => 0.9 };
    expect(begun(beatFor(timetable, clock, 30_000, late))).toEqual([]);
    clock.jump(-40_000);
    // 54 s after it came due for the first time.
    expect(begun(beatFor(timetable, clock, 20 * minuteMs, late))).toEqual(['24 10:00:00 at 24 10:00:14']);
    // What the run stood for before the jump is served as well.
    clock.jump(-20 * minuteMs);
    expect(leftOut(beatFor(timetable, clock, 5 * minuteMs, late))).toEqual(['24 10:00:00 served']);
  });

  it('before a run begins does not make it forget what else it stands for', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T09:59:59Z', { jitterMs: 60_000 });
    const late = { random: () => 0.9 };
    beatFor(timetable, clock, 10_000, late);
    clock.jump(-hourMs - 15_000);
    expect(begun(beatFor(timetable, clock, minuteMs, late))).toEqual(['24 10:00:00 at 24 09:00:39']);
    clock.jump(hourMs - 2 * minuteMs);
    expect(leftOut(beatFor(timetable, clock, 5 * minuteMs, late))).toEqual(['24 10:00:00 served']);
  });

  it('by a little, again and again, repeats nothing', () => {
    const { clock, timetable } = start('*/5 * * * *', '2026-11-24T10:00:00Z');
    const beats: ToldBeat[] = [];
    for (let step = 0; step < 24 * 3600; step += 1) {
      clock.jump(step % 2 === 0 ? -1400 : 1400);
      beats.push(...beatFor(timetable, clock, 500, { stepMs: 500 }));
    }
    const nominal = beats.flatMap(({ due }) => due.map(({ occurrence }) => occurrence.getTime()));
    expect(new Set(nominal).size).toBe(nominal.length);
    expect(nominal).toHaveLength(12 * 12);
  });

  it('tells that a time is shown again, until it is further than it ever was', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T10:59:59Z');
    const shownAgain = (beats: readonly ToldBeat[]) =>
      beats.flatMap(({ due }) => due.map(({ isShownAgain }) => isShownAgain));
    expect(shownAgain(beatFor(timetable, clock, 2 * hourMs))).toEqual([false, false]);
    clock.jump(-2 * hourMs - 5000);
    expect(shownAgain(beatFor(timetable, clock, 4 * hourMs))).toEqual([true, true, false, false]);
  });

  it('is what the next time is reckoned from', () => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T10:00:00Z');
    for (const [jumpMs, next] of [
      [-dayMs, '2026-11-24T03:15:00.000Z'],
      [-decadeMs, '2016-11-24T03:15:00.000Z'],
      [2 * decadeMs, '2036-11-23T03:15:00.000Z'],
    ] as const) {
      clock.jump(jumpMs);
      beatFor(timetable, clock, 1000);
      expect(timetable.nextAt('backup')?.toISOString()).toBe(next);
    }
  });
});

describe('a change of the clock', () => {
  it.each([
    [400, undefined],
    [-400, undefined],
    [600, 600],
    [-600, -600],
    [hourMs, hourMs],
    [-decadeMs, -decadeMs],
  ])('of %i ms is told as %s', (jumpMs, told) => {
    const { clock, timetable } = start('0 0 1 1 *', '2026-11-24T10:00:00Z');
    clock.jump(jumpMs);
    clock.pass(1000);
    expect(timetable.beat(clock.moment, () => 0).clockJumpMs).toBe(told);
  });
});

// field: F147
describe('the night on which clocks change', () => {
  it('lets a job of every half minute go on evenly, and costs nothing more', () => {
    const { clock, timetable } = start('*/30 * * * * *', '2025-10-25T22:00:00Z', { timeZone: 'Europe/Vienna' });
    const beats = beatFor(timetable, clock, 6 * hourMs);
    expect(new Set(distances(beats))).toEqual(new Set([30_000]));
    expect(begun(beats)).toHaveLength(6 * 120);
    expect(leftOut(beats)).toEqual([]);
  });
});
