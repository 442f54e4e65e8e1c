import type { Config } from '../../config/schema.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import { formatDuration, formatTime } from '../../format.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics, SkipReason } from '../../ports/metrics.ts';
import type { Moment } from '../../schedule/planned-job.ts';
import { Timetable } from '../../schedule/timetable.ts';
import type { ScheduledJob } from '../agent-status.ts';
import type { Order } from './lane.ts';
import { Retries } from './retries.ts';
import { type PlannedJobFacts, readSchedule } from './schedule.ts';
import { type ScheduledJobName, scheduledJobs } from './scheduled-jobs.ts';

export interface ClockworkSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly measures: Metrics;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** Says what has to begin: what the schedule of a configuration brings, and what failed and is tried again. */
export class Clockwork {
  readonly #surroundings: ClockworkSurroundings;
  readonly #retries = new Retries();
  #schedule: readonly PlannedJobFacts[] = [];
  #timetable: Timetable;
  #lastBeatMs: number;

  constructor(config: Config, surroundings: ClockworkSurroundings) {
    this.#surroundings = surroundings;
    this.#lastBeatMs = surroundings.clock.monotonicMs();
    this.#timetable = this.follow(config);
  }

  /** From now on this is the schedule. Jobs that are planned as before go on; new ones begin with what they missed. */
  follow(config: Config): Timetable {
    this.#schedule = readSchedule(config);
    this.#timetable = new Timetable(this.#schedule, this.#now(), this.#timetable);
    this.#measure();
    return this.#timetable;
  }

  /** Looks at the clock. What begins now is as good as begun. */
  beat(): readonly Order[] {
    const { measures, log, random } = this.#surroundings;
    const now = this.#now();
    this.#lastBeatMs = now.monotonicMs;
    const { due, leftOut, passedOver, clockJumpMs } = this.#timetable.beat(now, random);
    if (clockJumpMs !== undefined) {
      measures.clockJumped();
      log.warn('the clock was changed', {
        by: `${clockJumpMs < 0 ? '-' : '+'}${formatDuration(Math.abs(clockJumpMs))}`,
      });
    }
    for (const { job, occurrence, because } of leftOut) this.#tellLeftOut(job, occurrence, because);
    for (const { job, since, because } of passedOver) this.#tellLeftOut(job, since, because);
    const fresh = due.flatMap(({ job, occurrence, isShownAgain }): Order[] => {
      const planned = this.#planned(job);
      return planned === undefined ? [] : [{ job: planned.job, occurrence, isShownAgain, attempt: 0 }];
    });
    // What is no longer scheduled is not tried again either.
    const again = this.#retries
      .takeDue(now.monotonicMs)
      .filter(({ job }) => this.#planned(job) !== undefined && !fresh.some((order) => order.job === job));
    const orders = [...fresh, ...again];
    for (const { job } of orders) this.#retries.began(job, now.monotonicMs);
    if (orders.length > 0 || clockJumpMs !== undefined) this.#measure();
    return orders;
  }

  /** Sees to it that an order which failed is tried again before its next time, where that may help. */
  hasFailed(order: Order, error: WardenError): void {
    const planned = this.#planned(order.job);
    if (planned === undefined || error.code === 'interrupted') return;
    const { log, random } = this.#surroundings;
    const { budgetPerHour } = planned;
    const nextAt = this.#timetable.nextAt(order.job);
    const plan = this.#retries.plan(order, error, this.#now(), { nextAt, budgetPerHour }, random);
    if (typeof plan === 'number') log.debug('it will be tried again', { job: order.job, in: formatDuration(plan) });
    else log.debug('it will not be tried again before its next time', { job: order.job, reason: plan });
  }

  /** What comes next of each scheduled job. */
  get schedule(): readonly ScheduledJob[] {
    return this.#schedule.flatMap(({ job, cron, timeZone }) => {
      const nextAt = this.#timetable.nextAt(job);
      return nextAt === undefined ? [] : [{ job, cron, timeZone, nextAt }];
    });
  }

  /** Those that are scheduled. */
  get jobs(): ReadonlySet<ScheduledJobName> {
    return new Set(this.#schedule.map(({ job }) => job));
  }

  /** Longest time between two runs; undefined where the job is not scheduled. */
  intervalSeconds(job: ScheduledJobName): number | undefined {
    return this.#planned(job)?.intervalSeconds;
  }

  get msSinceBeat(): number {
    return this.#surroundings.clock.monotonicMs() - this.#lastBeatMs;
  }

  #planned(job: string): PlannedJobFacts | undefined {
    return this.#schedule.find((planned) => planned.job === job);
  }

  #tellLeftOut(job: string, occurrence: Date, reason: Exclude<SkipReason, 'running' | 'busy' | 'nothing'>): void {
    const planned = this.#planned(job);
    if (planned === undefined) return;
    const { log, measures } = this.#surroundings;
    measures.jobSkipped(planned.job, reason);
    // Where another run stands for it, nothing is lost.
    log[reason === 'merged' ? 'debug' : 'info']('a run was left out', { job, for: formatTime(occurrence), reason });
  }

  #measure(): void {
    for (const job of Object.keys(scheduledJobs) as ScheduledJobName[]) {
      const nextRunAt = this.#timetable.nextAt(job);
      const intervalSeconds = this.intervalSeconds(job);
      const isKnown = nextRunAt !== undefined && intervalSeconds !== undefined;
      this.#surroundings.measures.jobScheduled(job, isKnown ? { nextRunAt, intervalSeconds } : undefined);
    }
  }

  #now(): Moment {
    const { clock } = this.#surroundings;
    return { wall: clock.now(), monotonicMs: clock.monotonicMs() };
  }
}
