import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { hourlyBudget, planRetry, type FailedRun } from '../../src/schedule/retry.ts';

const minuteMs = 60_000;
const failedAt = new Date('2026-11-24T10:00:00Z');
const at = (afterMs: number) => new Date(failedAt.getTime() + afterMs);

const run = (changes: Partial<FailedRun> = {}): FailedRun => ({
  attempt: 1,
  failedAt,
  nextOccurrence: at(24 * 60 * minuteMs),
  startedMsAgo: [1000],
  budgetPerHour: 7,
  ...changes,
});

describe('a job that failed', () => {
  it('is tried again after half a minute, then each time after twice as long, up to a quarter of an hour', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => planRetry(run({ attempt }), 0));
    expect(delays).toEqual(
      [30, 60, 120, 240, 480, 900, 900, 900].map((seconds) => ({ verdict: 'retry', afterMs: seconds * 1000 })),
    );
  });

  it('is tried up to half of the delay sooner, as chance has it', () => {
    expect(planRetry(run(), 0.5)).toEqual({ verdict: 'retry', afterMs: 22_500 });
    expect(planRetry(run(), 1)).toEqual({ verdict: 'retry', afterMs: 15_000 });
  });

  it('waits for its next run where that leaves no room', () => {
    expect(planRetry(run({ nextOccurrence: at(minuteMs) }), 0)).toEqual({ verdict: 'retry', afterMs: 30_000 });
    const wait = { verdict: 'wait', because: 'no-time' };
    expect(planRetry(run({ nextOccurrence: at(minuteMs - 1) }), 0)).toEqual(wait);
    expect(planRetry(run({ nextOccurrence: at(-minuteMs) }), 1)).toEqual(wait);
  });

  it('is tried again where no next run is known', () => {
    expect(planRetry(run({ nextOccurrence: undefined }), 0)).toEqual({ verdict: 'retry', afterMs: 30_000 });
  });

  it('is not started more often within an hour than the budget allows', () => {
    const startedMsAgo = [50, 40, 59, 30, 20, 10, 0].map((minutes) => minutes * minuteMs);
    expect(planRetry(run({ startedMsAgo }), 0)).toEqual({ verdict: 'retry', afterMs: minuteMs });
    expect(planRetry(run({ startedMsAgo: startedMsAgo.slice(1) }), 0)).toEqual({ verdict: 'retry', afterMs: 30_000 });
    // Two have to grow old before there is room for one.
    expect(planRetry(run({ startedMsAgo, budgetPerHour: 6 }), 0)).toEqual({ verdict: 'retry', afterMs: 10 * minuteMs });
  });

  it('never starts more often within any hour, however long it goes on', () => {
    const starts: number[] = [];
    for (let nowMs = 0, attempt = 1; nowMs < 24 * 60 * minuteMs; attempt += 1) {
      starts.push(nowMs);
      const startedMsAgo = starts.map((start) => nowMs - start).filter((age) => age < 60 * minuteMs);
      const plan = planRetry(run({ attempt, failedAt: at(nowMs), nextOccurrence: undefined, startedMsAgo }), 1);
      if (plan.verdict === 'wait') throw new Error(plan.because);
      nowMs += plan.afterMs;
    }
    const most = Math.max(...starts.map((from) => starts.filter((s) => s >= from && s < from + 60 * minuteMs).length));
    expect(most).toBe(7);
  });

  it('says that the budget keeps it, where only for that its next run comes first', () => {
    const spent = { startedMsAgo: [0, 1, 2, 3, 4, 5, 6] };
    const nextOccurrence = at(30 * minuteMs);
    expect(planRetry(run({ ...spent, nextOccurrence }), 0)).toEqual({ verdict: 'wait', because: 'budget' });
    expect(planRetry(run({ ...spent, nextOccurrence: at(1000) }), 0)).toEqual({ verdict: 'wait', because: 'no-time' });
  });
});

describe('the budget of an hour', () => {
  it.each([
    ['15 3 * * *', 7],
    ['*/30 * * * *', 8],
    ['*/20 * * * * *', 186],
  ])('of %s is %i starts', (expression, starts) => {
    expect(hourlyBudget(parseCron(expression))).toBe(starts);
  });
});
