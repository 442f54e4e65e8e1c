import { beforeEach, describe, expect, it } from 'vitest';
import { Clockwork } from '../../../src/agent/daemon/clockwork.ts';
import type { Order } from '../../../src/agent/daemon/lane.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog } from '../../jobs/repositories.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const gone = refuses('store-unreachable', 'no way there');

describe('The clockwork', () => {
  let wallMs: number;
  let monotonicMs: number;
  let log: ReturnType<typeof fieldsLog>;
  let measures: RecordedMeasures;

  beforeEach(() => {
    wallMs = Date.parse('2026-11-25T12:10:00Z');
    monotonicMs = 5_000_000;
    log = fieldsLog();
    measures = recordedMeasures();
  });

  const configWith = (schedules: string) => configOf(`${minimalConfig}schedules: {${schedules}}\n`);
  const every30 = 'backup: {cron: "*/30 * * * *", jitter: 0s, missed: skip}';
  function start(schedules = every30): Clockwork {
    const clock = { now: () => new Date(wallMs), monotonicMs: () => monotonicMs };
    return new Clockwork(configWith(schedules), { clock, log, measures, random: () => 0 });
  }
  /** Beats once a second for so long. */
  function pass(clockwork: Clockwork, ms: number): Order[] {
    const orders: Order[] = [];
    for (let passedMs = 0; passedMs < ms; passedMs += 1000) {
      wallMs += 1000;
      monotonicMs += 1000;
      orders.push(...clockwork.beat());
    }
    return orders;
  }
  const timesOf = (orders: readonly Order[]): string[] =>
    orders.map(({ job, occurrence, attempt }) => `${job} for ${occurrence.toISOString().slice(11, 16)}, ${attempt}`);
  const logged = (text: string): unknown[] =>
    log.lines.flatMap(([, message, fields]) => (message === text ? [fields] : []));

  it('brings what the schedule says, each once', () => {
    expect(timesOf(pass(start(), hourMs))).toEqual(['backup for 12:30, 0', 'backup for 13:00, 0']);
  });

  it('brings nothing where nothing is scheduled', () => {
    const clockwork = start('');
    expect([pass(clockwork, 2 * hourMs), clockwork.schedule]).toEqual([[], []]);
  });

  it('brings at once what makes up for missed runs, and waits for its jitter', () => {
    const schedules = 'backup: {cron: "*/30 * * * *", jitter: 0s}';
    expect(timesOf(pass(start(schedules), 5000))).toEqual(['backup for 12:00, 0']);
  });

  it('brings a failed order again in time, as the next attempt for the same time', () => {
    const clockwork = start();
    const [order] = pass(clockwork, 20 * minuteMs);
    if (order === undefined) throw new Error('nothing came due');
    clockwork.hasFailed(order, gone);
    expect(pass(clockwork, 29_000)).toEqual([]);
    expect(timesOf(pass(clockwork, 1000))).toEqual(['backup for 12:30, 1']);
    expect(timesOf(pass(clockwork, 40 * minuteMs))).toEqual(['backup for 13:00, 0']);
    expect(logged('it will be tried again')).toEqual([{ job: 'backup', in: '30.0s' }]);
  });

  it('leaves what failed just before the next time to that one', () => {
    const clockwork = start();
    const [order] = pass(clockwork, 20 * minuteMs);
    if (order === undefined) throw new Error('nothing came due');
    pass(clockwork, 29.5 * minuteMs);
    clockwork.hasFailed(order, gone);
    expect(timesOf(pass(clockwork, minuteMs))).toEqual(['backup for 13:00, 0']);
    expect(logged('it will not be tried again before its next time')).toEqual([
      { job: 'backup', reason: 'the next run comes soon enough' },
    ]);
  });

  it('brings what comes due in place of what would be tried again at that moment', () => {
    const clockwork = start();
    const [order] = pass(clockwork, 20 * minuteMs);
    if (order === undefined) throw new Error('nothing came due');
    clockwork.hasFailed(order, gone);
    pass(clockwork, 29_000);
    wallMs += 30 * minuteMs;
    expect(timesOf(pass(clockwork, 1000))).toEqual(['backup for 13:00, 0']);
    expect(pass(clockwork, minuteMs)).toEqual([]);
  });

  it('says nothing of what was interrupted, and brings it no more', () => {
    const clockwork = start();
    const [order] = pass(clockwork, 20 * minuteMs);
    if (order === undefined) throw new Error('nothing came due');
    clockwork.hasFailed(order, refuses('interrupted'));
    expect([pass(clockwork, 10 * minuteMs), log.lines]).toEqual([[], []]);
  });

  it('does not bring again what is no longer scheduled', () => {
    const clockwork = start();
    const [order] = pass(clockwork, 20 * minuteMs);
    if (order === undefined) throw new Error('nothing came due');
    clockwork.hasFailed(order, gone);
    clockwork.follow(configWith(''));
    expect(pass(clockwork, hourMs)).toEqual([]);
  });

  it('follows another schedule from the moment on at which it is given', () => {
    const clockwork = start();
    pass(clockwork, 10 * minuteMs);
    clockwork.follow(configWith('prune: {cron: "*/15 * * * *"}'));
    expect(timesOf(pass(clockwork, 20 * minuteMs))).toEqual(['prune for 12:30, 0']);
    expect([clockwork.intervalSeconds('backup'), clockwork.intervalSeconds('prune')]).toEqual([undefined, 900]);
  });

  it('tells metrics and log when the clock is set, in which direction, and how far', () => {
    const clockwork = start();
    pass(clockwork, 2000);
    wallMs += 2 * hourMs;
    pass(clockwork, 2000);
    wallMs -= 10 * minuteMs;
    pass(clockwork, 2000);
    expect(measures.of('clockJumped')).toHaveLength(2);
    expect(logged('the clock was changed')).toEqual([{ by: '+2h 0m' }, { by: '-10m 0s' }]);
  });

  it('tells which times are shown again by a clock that went back, of a retry too', () => {
    const clockwork = start();
    pass(clockwork, 2 * hourMs);
    wallMs -= dayMs;
    const [order] = pass(clockwork, 20 * minuteMs);
    expect(order).toMatchObject({ occurrence: new Date('2026-11-24T14:30:00Z'), isShownAgain: true, attempt: 0 });
    if (order === undefined) throw new Error('nothing came due');
    clockwork.hasFailed(order, gone);
    expect(pass(clockwork, minuteMs)).toMatchObject([{ isShownAgain: true, attempt: 1 }]);
    wallMs += dayMs;
    expect(pass(clockwork, hourMs).map(({ isShownAgain }) => isShownAgain)).toEqual([false, false]);
  });

  it('logs what is left out, with its reason', () => {
    const clockwork = start('prune: {cron: "*/30 * * * *"}');
    pass(clockwork, 20 * minuteMs);
    wallMs -= 5000;
    expect(pass(clockwork, 10_000)).toEqual([]);
    expect(logged('a run was left out')).toEqual([{ job: 'prune', for: '2026-11-25T12:30:00Z', reason: 'served' }]);
    wallMs += 40 * minuteMs;
    expect(pass(clockwork, 1000)).toEqual([]);
    expect(logged('a run was left out').at(-1)).toEqual({ job: 'prune', for: '2026-11-25T13:00:00Z', reason: 'late' });
    expect(measures.of('jobSkipped')).toEqual([
      ['prune', 'served'],
      ['prune', 'late'],
    ]);
  });

  it.each([
    ['skip', 'missed', 'info'],
    ['run-once', 'merged', 'debug'],
  ])('counts what was passed over as one, where what was missed is to be %s', (missed, reason, level) => {
    const clockwork = start(`backup: {cron: "*/30 * * * *", jitter: 0s, missed: ${missed}}`);
    pass(clockwork, 1000);
    [wallMs, monotonicMs] = [wallMs + 5 * hourMs - 10 * minuteMs, monotonicMs + 5 * hourMs - 10 * minuteMs];
    expect(timesOf(pass(clockwork, 1000))).toEqual(['backup for 17:00, 0']);
    expect(measures.of('jobSkipped')).toEqual([['backup', reason]]);
    expect(log.lines).toContainEqual([
      level,
      'a run was left out',
      { job: 'backup', for: '2026-11-25T12:30:00Z', reason },
    ]);
  });

  it('keeps a broken store within its budget of starts', () => {
    const clockwork = start('backup: {cron: "0 * * * *", jitter: 0s, missed: skip}');
    const starts: number[] = [];
    for (let second = 0; second < 6 * 3600; second += 1) {
      for (const order of pass(clockwork, 1000)) {
        starts.push(second);
        clockwork.hasFailed(order, gone);
      }
    }
    expect(starts.length).toBeGreaterThan(6 * 4);
    for (const from of starts) {
      expect(starts.filter((second) => second >= from && second < from + 3600).length).toBeLessThanOrEqual(7);
    }
  });

  it('tells metrics when each job comes next and how often it comes, and that others are not scheduled', () => {
    const clockwork = start();
    expect(measures.of('jobScheduled')).toEqual([
      ['backup', { nextRunAt: new Date('2026-11-25T12:30:00Z'), intervalSeconds: 1800 }],
      ['defrag', undefined],
      ['verify', undefined],
      ['prune', undefined],
    ]);
    measures.told.length = 0;
    pass(clockwork, 20 * minuteMs);
    expect(measures.of('jobScheduled')[0]).toEqual([
      'backup',
      { nextRunAt: new Date('2026-11-25T13:00:00Z'), intervalSeconds: 1800 },
    ]);
    measures.told.length = 0;
    wallMs -= 2 * hourMs;
    pass(clockwork, 1000);
    expect(measures.of('jobScheduled')[0]).toMatchObject(['backup', { nextRunAt: new Date('2026-11-25T11:00:00Z') }]);
  });

  it('shows what comes next', () => {
    const clockwork = start(`timeZone: Europe/Berlin, ${every30}`);
    expect(clockwork.schedule).toEqual([
      { job: 'backup', cron: '*/30 * * * *', timeZone: 'Europe/Berlin', nextAt: new Date('2026-11-25T12:30:00Z') },
    ]);
  });

  it('knows when it was last looked at, whatever the clock on the wall shows', () => {
    const clockwork = start();
    pass(clockwork, 5000);
    wallMs += dayMs;
    monotonicMs += 61_000;
    expect(clockwork.msSinceBeat).toBe(61_000);
  });
});
