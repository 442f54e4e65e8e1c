import { beforeEach, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/agent/daemon/lane.ts';
import { Retries } from '../../../src/agent/daemon/retries.ts';
import type { ErrorCode } from '../../../src/errors/table.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';

const minuteMs = 60_000;
const noon = new Date('2026-11-25T12:00:00Z');
const never = (): number => 0;

describe('Retries', () => {
  let retries: Retries;
  let nowMs: number;

  beforeEach(() => {
    retries = new Retries();
    nowMs = 5_000_000;
  });

  const orderFor = (job: Order['job'], attempt = 0): Order => ({ job, occurrence: noon, isShownAgain: false, attempt });
  interface Circumstances {
    readonly code?: ErrorCode;
    readonly nextInMs?: number | undefined;
    readonly budgetPerHour?: number;
  }
  function plan(order: Order, circumstances: Circumstances = {}): number | string {
    const { code = 'store-failed', nextInMs, budgetPerHour = 10 } = circumstances;
    const now = { wall: noon, monotonicMs: nowMs };
    const nextAt = nextInMs === undefined ? undefined : new Date(noon.getTime() + nextInMs);
    return retries.plan(order, new WardenError(code, 'it failed'), now, { nextAt, budgetPerHour }, never);
  }
  const takeAfter = (ms: number): readonly Order[] => retries.takeDue((nowMs += ms));

  it('come after half a minute, and each time after twice as long', () => {
    expect([0, 1, 2, 3].map((attempt) => plan(orderFor('backup', attempt)))).toEqual([
      30_000, 60_000, 120_000, 240_000,
    ]);
  });

  it('are handed out once their time has come, once, as the next attempt for the same time', () => {
    plan(orderFor('backup'));
    expect(takeAfter(29_999)).toEqual([]);
    expect(takeAfter(1)).toEqual([orderFor('backup', 1)]);
    expect(takeAfter(minuteMs)).toEqual([]);
  });

  it('are forgotten where the job begins before', () => {
    plan(orderFor('backup'));
    plan(orderFor('prune'));
    retries.began('backup', nowMs);
    expect(takeAfter(minuteMs).map(({ job }) => job)).toEqual(['prune']);
  });

  it('fit in before the next run, or are left to it', () => {
    expect(plan(orderFor('backup'), { nextInMs: minuteMs })).toBe(30_000);
    expect(plan(orderFor('backup'), { nextInMs: minuteMs - 1 })).toBe('the next run comes soon enough');
    retries.began('backup', nowMs);
    expect(takeAfter(minuteMs)).toEqual([]);
  });

  it('keep to the budget of starts within an hour', () => {
    for (let start = 0; start < 3; start += 1) retries.began('backup', nowMs);
    nowMs += minuteMs;
    expect(plan(orderFor('backup'), { budgetPerHour: 4 })).toBe(30_000);
    expect(plan(orderFor('backup'), { budgetPerHour: 3 })).toBe(59 * minuteMs);
    expect(plan(orderFor('backup'), { budgetPerHour: 3, nextInMs: 30 * minuteMs })).toBe(
      'too many were begun within the hour',
    );
    // Those of other jobs, and of hours ago, are no reason.
    expect(plan(orderFor('prune'), { budgetPerHour: 3 })).toBe(30_000);
    nowMs += 59 * minuteMs;
    expect(plan(orderFor('backup'), { budgetPerHour: 3 })).toBe(30_000);
  });

  it.each([
    ['backup', 100, 15 * minuteMs],
    ['verify', 1, 60_000],
    ['verify', 2, 'it was tried often enough'],
    ['prune', 1, 60_000],
    ['prune', 2, 'it was tried often enough'],
    ['defrag', 0, 'it was tried often enough'],
  ] as const)('of %s after attempt %i: %s', (job, attempt, outcome) => {
    expect(plan(orderFor(job, attempt))).toBe(outcome);
  });

  it.each<ErrorCode>(['interrupted', 'prune-refused', 'defrag-refused', 'config-invalid', 'secret-unreadable'])(
    'do not come after %s: it would be the same again',
    (code) => {
      expect(plan(orderFor('prune'), { code })).toBe('it would fail again');
      expect(takeAfter(minuteMs)).toEqual([]);
    },
  );

  it.each<ErrorCode>(['busy', 'run-too-long', 'internal', 'stream-short', 'partly-pruned'])('come after %s', (code) => {
    expect(plan(orderFor('prune'), { code })).toBe(30_000);
  });

  // What was done would serve the time, and what failed would pass for done.
  it.each<[Order['job'], ErrorCode]>([
    ['backup', 'repositories-failed'],
    ['backup', 'member-damaged'],
    ['verify', 'partly-verified'],
    ['verify', 'object-damaged'],
  ])('of %s do not come after %s, where another attempt would find its work done', (job, code) => {
    expect(plan(orderFor(job), { code })).toBe('what was done serves for this time');
    expect(takeAfter(minuteMs)).toEqual([]);
  });
});
