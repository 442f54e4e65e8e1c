import type { CronSchedule } from './cron-schedule.ts';

const hourMs = 3_600_000;

/** A broken connection comes back in seconds, a store in minutes. */
const firstDelayMs = 30_000;
const factor = 2;
const longestDelayMs = 15 * 60_000;
/** A retry just before the next regular run would take its place and be the later one for it. */
const roomMs = 30_000;

/** Starts beyond the regular ones that a broken store may cost etcd in an hour. */
const retriesPerHour = 6;

export interface FailedRun {
  /** How many runs in a row have failed, this one included. */
  readonly attempt: number;
  readonly failedAt: Date;
  /** When the job comes due anyway. */
  readonly nextOccurrence: Date | undefined;
  /** How long ago each start of the last hour was, by a clock that never jumps; in any order. */
  readonly startedMsAgo: readonly number[];
  /** The most starts within an hour, of every kind. */
  readonly budgetPerHour: number;
}

/** no-time: the next regular run comes soon enough. budget: so it does before the job may start once more. */
export type RetryPlan =
  | { readonly verdict: 'retry'; readonly afterMs: number }
  | { readonly verdict: 'wait'; readonly because: 'no-time' | 'budget' };

/**
 * When a job that failed is tried again: after a delay that doubles, of which chance takes up to a half so that many
 * agents do not come back as one, and never more often in an hour than the budget allows.
 * @param random01 from 0 to 1
 */
export function planRetry(
  { attempt, failedAt, nextOccurrence, startedMsAgo, budgetPerHour }: FailedRun,
  random01: number,
): RetryPlan {
  const delayMs = Math.min(longestDelayMs, firstDelayMs * factor ** (attempt - 1));
  const backoffMs = Math.round(delayMs * (1 - random01 / 2));
  const afterMs = Math.max(backoffMs, untilBudgetMs(startedMsAgo, budgetPerHour));
  const leftMs = nextOccurrence === undefined ? Infinity : nextOccurrence.getTime() - failedAt.getTime() - roomMs;
  if (afterMs <= leftMs) return { verdict: 'retry', afterMs };
  return { verdict: 'wait', because: backoffMs <= leftMs ? 'budget' : 'no-time' };
}

/** Starts within one hour that are regular, where the job runs in that hour at all, and some for retries. */
export function hourlyBudget({ minutes, seconds }: CronSchedule): number {
  return minutes.length * seconds.length + retriesPerHour;
}

/** Until so many starts are more than an hour ago that there is room for one. */
function untilBudgetMs(startedMsAgo: readonly number[], budgetPerHour: number): number {
  const newestFirst = startedMsAgo.toSorted((a, b) => a - b);
  const inTheWay = newestFirst[budgetPerHour - 1];
  return inTheWay === undefined ? 0 : Math.max(0, hourMs - inTheWay);
}
