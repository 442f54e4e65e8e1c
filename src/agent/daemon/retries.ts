import { exitStatus } from '../../errors/table.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import type { Moment } from '../../schedule/planned-job.ts';
import { planRetry } from '../../schedule/retry.ts';
import type { Order } from './lane.ts';
import type { ScheduledJobName } from './scheduled-jobs.ts';

const hourMs = 60 * 60_000;

/** A backup is worth trying until the next is due. What reads or rewrites gigabytes is not. */
const mostAttempts: Readonly<Record<ScheduledJobName, number>> = { backup: Infinity, verify: 3, prune: 3, defrag: 1 };

/** Runs that failed and will be tried again before their next time comes. */
export class Retries {
  readonly #waiting = new Map<ScheduledJobName, { readonly order: Order; readonly dueMs: number }>();
  /** When attempts began in the last hour, by the monotonic clock. */
  readonly #begun = new Map<ScheduledJobName, number[]>();

  began(job: ScheduledJobName, nowMs: number): void {
    this.#waiting.delete(job);
    this.#begun.set(job, [...this.#inLastHour(job, nowMs), nowMs]);
  }

  /**
   * Plans another attempt at an order that just failed, and says in how many milliseconds it comes; or why there is none
   * before the next run.
   */
  plan(
    order: Order,
    error: WardenError,
    now: Moment,
    { nextAt, budgetPerHour }: { readonly nextAt: Date | undefined; readonly budgetPerHour: number },
    random: () => number,
  ): number | string {
    const { job, attempt } = order;
    if (!mayPass(error)) return 'it would fail again';
    if (leavesTraces(job, error)) return 'what was done serves for this time';
    if (attempt + 1 >= mostAttempts[job]) return 'it was tried often enough';
    const startedMsAgo = this.#inLastHour(job, now.monotonicMs).map((begunMs) => now.monotonicMs - begunMs);
    const failed = { attempt: attempt + 1, failedAt: now.wall, nextOccurrence: nextAt, startedMsAgo, budgetPerHour };
    const plan = planRetry(failed, random());
    if (plan.verdict === 'wait') {
      return plan.because === 'budget' ? 'too many were begun within the hour' : 'the next run comes soon enough';
    }
    this.#waiting.set(job, { order: { ...order, attempt: attempt + 1 }, dueMs: now.monotonicMs + plan.afterMs });
    return plan.afterMs;
  }

  /** Takes out those whose time has come. */
  takeDue(nowMs: number): readonly Order[] {
    const due = [...this.#waiting.values()].filter(({ dueMs }) => dueMs <= nowMs);
    for (const { order } of due) this.#waiting.delete(order.job);
    return due.map(({ order }) => order);
  }

  #inLastHour(job: ScheduledJobName, nowMs: number): readonly number[] {
    return (this.#begun.get(job) ?? []).filter((begunMs) => nowMs - begunMs < hourMs);
  }
}

/** What was refused as unsafe, or is wrong in the configuration, stays so without somebody's help; a signal is final. */
function mayPass({ code, exitStatus: status }: WardenError): boolean {
  return code !== 'interrupted' && status !== exitStatus.refused && status !== exitStatus.usage;
}

/**
 * A backup in some repository, or evidence beside some backup: another attempt for the same time would find it, do nothing,
 * and make what failed pass for done.
 */
function leavesTraces(job: ScheduledJobName, { exitStatus: status }: WardenError): boolean {
  if (job === 'verify') return status === exitStatus.partly || status === exitStatus.damage;
  return job === 'backup' && status === exitStatus.partly;
}
