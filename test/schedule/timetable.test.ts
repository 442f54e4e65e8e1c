import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import type { TimedJob } from '../../src/schedule/planned-job.ts';
import { Timetable } from '../../src/schedule/timetable.ts';
import { beatFor, begun, leftOut, passedOver, shorten, VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const timed = (cron: string, changes: Partial<TimedJob> = {}): TimedJob => ({
  job: 'backup',
  schedule: parseCron(cron),
  timeZone: 'UTC',
  jitterMs: 0,
  missed: 'skip',
  ...changes,
});

/** A timetable with one job, and the clock it goes by. */
function start(cron: string, at: string, changes: Partial<TimedJob> = {}) {
  const clock = new VirtualClock(at);
  return { clock, timetable: new Timetable([timed(cron, changes)], clock.moment) };
}

describe('a timetable', () => {
  it('lets a job begin at each of its times, once', () => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T09:59:58.500Z');
    expect(begun(beatFor(timetable, clock, hourMs))).toEqual([
      '24 10:00:00 at 24 10:00:00',
      '24 10:30:00 at 24 10:30:00',
    ]);
  });

  it('lets jobs begin in the order in which they are given', () => {
    const clock = new VirtualClock('2026-11-24T10:59:59Z');
    const jobs = ['defrag', 'backup'].map((job) => timed('0 * * * *', { job }));
    const [beat] = beatFor(new Timetable(jobs, clock.moment), clock, 1000);
    expect(beat?.due.map(({ job }) => job)).toEqual(['defrag', 'backup']);
  });

  it.each([0, 0.5, 0.999])('lets a job begin up to its jitter later, as chance has it: %d', (chance) => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T10:59:59Z', { jitterMs: 100_000 });
    const [beat] = beatFor(timetable, clock, 30 * minuteMs, { random: () => chance });
    const late = (beat?.at.wall.getTime() ?? 0) - new Date('2026-11-24T11:00:00Z').getTime();
    expect(late).toBe(Math.ceil(chance * 100) * 1000);
  });

  it('tells how late that is by a clock that does not jump', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T10:59:59Z', { jitterMs: 100_000 });
    beatFor(timetable, clock, 10_000, { random: () => 0.5 });
    const began = clock.monotonicMs;
    clock.jump(-20 * minuteMs);
    const [jump, beat] = beatFor(timetable, clock, 5 * minuteMs);
    expect([jump?.clockJumpMs, jump?.due]).toEqual([-20 * minuteMs, []]);
    expect(beat?.due).toHaveLength(1);
    expect((beat?.at.monotonicMs ?? 0) - began).toBe(41_000);
  });

  it('makes one run of what comes due while it waits for its jitter', () => {
    const { clock, timetable } = start('*/10 * * * * *', '2026-11-24T09:59:59Z', { jitterMs: 100_000 });
    const beats = beatFor(timetable, clock, 45_000, { random: () => 0.25 });
    // Each that came while it waited; the last one begins what comes next.
    expect(passedOver(beats)).toEqual(['24 10:00:00 merged', '24 10:00:00 merged', '24 10:00:30 merged']);
    const beat = beats.find(({ due }) => due.length > 0);
    expect(beat?.due).toMatchObject([
      { occurrence: new Date('2026-11-24T10:00:20Z'), since: new Date('2026-11-24T10:00:00Z') },
    ]);
    expect(shorten(beat?.at.wall ?? new Date(0))).toBe('24 10:00:25');
  });

  it('says when a job begins next', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T10:59:59Z', { jitterMs: 100_000 });
    const nextAt = () => timetable.nextAt('backup')?.toISOString().slice(11, 19);
    expect(nextAt()).toBe('11:00:00');
    beatFor(timetable, clock, 3000, { random: () => 0.5 });
    expect(nextAt()).toBe('11:00:50');
    beatFor(timetable, clock, minuteMs);
    expect(nextAt()).toBe('12:00:00');
    expect(timetable.nextAt('restore')).toBeUndefined();
  });
});

describe('a timetable at its beginning', () => {
  it('makes up for the last time before, within the jitter', () => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T10:00:00Z', { missed: 'run-once', jitterMs: 60_000 });
    expect(begun(beatFor(timetable, clock, dayMs, { random: () => 0.5 }))).toEqual([
      '24 03:15:00 at 24 10:00:31',
      '25 03:15:00 at 25 03:15:30',
    ]);
  });

  it('takes a time that is just now for one to make up for', () => {
    const { clock, timetable } = start('0 * * * *', '2026-11-24T10:00:00Z', { missed: 'run-once' });
    expect(begun(beatFor(timetable, clock, hourMs - 1000))).toEqual(['24 10:00:00 at 24 10:00:01']);
  });

  it('waits for the next time where missed ones are skipped', () => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T10:00:00Z');
    expect(begun(beatFor(timetable, clock, dayMs))).toEqual(['25 03:15:00 at 25 03:15:00']);
  });

  it('does not forget what it has to make up for if the clock goes back at once', () => {
    const { clock, timetable } = start('15 3 * * *', '2026-11-24T10:00:00Z', { missed: 'run-once' });
    clock.jump(-9 * hourMs);
    expect(begun(beatFor(timetable, clock, minuteMs))).toEqual(['24 03:15:00 at 24 01:00:01']);
  });
});

describe('a timetable that was not told the time for long', () => {
  const runOnce = { missed: 'run-once', jitterMs: 0 } as const;

  it('makes one run of all that was missed', () => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:00:01Z', runOnce);
    beatFor(timetable, clock, minuteMs);
    clock.pass(5 * hourMs);
    const [beat, ...others] = beatFor(timetable, clock, 10 * minuteMs);
    expect(beat?.due).toMatchObject([
      { occurrence: new Date('2026-11-24T15:00:00Z'), since: new Date('2026-11-24T10:30:00Z') },
    ]);
    expect([beat?.clockJumpMs, others]).toEqual([undefined, []]);
    expect(beat?.passedOver).toEqual([{ job: 'backup', since: new Date('2026-11-24T10:30:00Z'), because: 'merged' }]);
  });

  it('takes a machine that slept for a clock that jumped', () => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:00:01Z', runOnce);
    beatFor(timetable, clock, minuteMs);
    clock.suspend(5 * hourMs);
    const [beat] = beatFor(timetable, clock, 1000);
    expect([beat?.clockJumpMs, beat?.due.length]).toEqual([5 * hourMs, 1]);
  });

  it('skips what is more than a minute late, and says so', () => {
    for (const [seconds, begins, isLeftOut] of [
      [59, ['24 10:30:00 at 24 10:31:00'], []],
      [60, [], ['24 10:30:00 late']],
    ] as const) {
      const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:29:59Z');
      clock.pass(1000 + seconds * 1000);
      const beats = beatFor(timetable, clock, 2000);
      expect([begun(beats), leftOut(beats)]).toEqual([begins, isLeftOut]);
    }
  });

  it('begins the last of many that were skipped, if that one is in time', () => {
    const { clock, timetable } = start('*/30 * * * *', '2026-11-24T10:00:01Z');
    clock.pass(5 * hourMs);
    const [beat] = beatFor(timetable, clock, 1000);
    const occurrence = new Date('2026-11-24T15:00:00Z');
    expect(beat?.due).toMatchObject([{ occurrence, since: occurrence }]);
    expect(beat?.passedOver).toEqual([{ job: 'backup', since: new Date('2026-11-24T10:30:00Z'), because: 'missed' }]);
  });
});
