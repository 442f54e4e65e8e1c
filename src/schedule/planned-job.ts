import type { CronSchedule } from './cron-schedule.ts';
import { latestOccurrence, nextOccurrence, occurrenceBefore } from './occurrences.ts';
import { ServedTimes } from './served-times.ts';

/** One moment by two clocks: the one on the wall, which may jump, and one that only ever goes on. */
export interface Moment {
  readonly wall: Date;
  readonly monotonicMs: number;
}

export interface TimedJob {
  readonly job: string;
  readonly schedule: CronSchedule;
  readonly timeZone: string;
  readonly jitterMs: number;
  /** What becomes of times at which nobody was there to run it. run-once: one run makes up for all of them. */
  readonly missed: 'run-once' | 'skip';
}

/** A run that begins now. */
export interface DueRun {
  readonly job: string;
  /** The newest nominal time that it stands for. */
  readonly occurrence: Date;
  /** The oldest one; the same where it stands for one only. */
  readonly since: Date;
  /** The clock went back and shows this time again: what is dated since then need not be of today. */
  readonly isShownAgain: boolean;
}

/** A nominal time for which there is no run. */
export interface LeftOut {
  readonly job: string;
  readonly occurrence: Date;
  /** served: a run stood for it before the clock went back. late: it was noticed too late for a job that skips. */
  readonly because: 'served' | 'late';
}

/** Nominal times that were passed over on the way to a later one. */
export interface PassedOver {
  readonly job: string;
  /** The oldest of them. */
  readonly since: Date;
  /** merged: the run for the later time stands for them as well. missed: the job skips them. */
  readonly because: 'merged' | 'missed';
}

interface Noticed {
  readonly leftOut?: LeftOut;
  readonly passedOver?: readonly PassedOver[];
}

/** As late as that a run is still the one that was planned: a loop that was blocked, or a busy machine. */
const skipToleranceMs = 60_000;

interface Pending extends Omit<DueRun, 'job'> {
  /** By the clock that never jumps; undefined before chance was asked. */
  readonly startAtMs: number | undefined;
}

/**
 * One job on its way through time. It is either waiting for the planned time, or pending: due, and to begin within its
 * jitter. Both are compared with what the clocks say now, at every beat; nothing is armed that could be lost.
 */
export class PlannedJob {
  readonly #job: TimedJob;
  readonly #served = new ServedTimes();
  /** The furthest that the wall clock has come. */
  #furthest: Date;
  #planned: Date | undefined;
  #pending: Pending | undefined;

  constructor(job: TimedJob, { wall }: Moment) {
    this.#job = job;
    this.#furthest = wall;
    this.#planned = this.#next(wall);
    const justAfter = new Date(wall.getTime() + 1);
    const missed = job.missed === 'run-once' ? occurrenceBefore(job.schedule, job.timeZone, justAfter) : undefined;
    if (missed === undefined) return;
    this.#pending = { occurrence: missed, since: missed, isShownAgain: false, startAtMs: undefined };
  }

  /** Whether it is planned as this one would be. */
  isPlannedAs(job: TimedJob): boolean {
    return JSON.stringify(this.#job) === JSON.stringify(job);
  }

  /** Looks at what the wall clock has passed since the beat before. Returns what came due in it and is no run of its own. */
  notice(before: Moment, now: Moment, random: () => number): Noticed {
    if (now.wall < before.wall) this.#planned = this.#next(now.wall);
    const furthest = this.#furthest;
    if (now.wall > furthest) this.#furthest = now.wall;
    const planned = this.#planned;
    if (planned === undefined || planned > now.wall) return {};
    const { job, schedule, timeZone, missed } = this.#job;
    const occurrence = latestOccurrence(schedule, timeZone, new Date(planned.getTime() - 1), now.wall) ?? planned;
    this.#planned = this.#next(now.wall);
    if (this.#wasJustServed(occurrence, now)) return { leftOut: { job, occurrence, because: 'served' } };
    const isLate = now.wall.getTime() - occurrence.getTime() > skipToleranceMs;
    const passedOver: PassedOver[] = [];
    if (planned < occurrence)
      passedOver.push({ job, since: planned, because: missed === 'skip' ? 'missed' : 'merged' });
    if (missed === 'skip' && isLate) return { leftOut: { job, occurrence, because: 'late' }, passedOver };
    const earlier = this.#pending;
    if (earlier !== undefined) passedOver.push({ job, since: earlier.since, because: 'merged' });
    const since = missed === 'skip' ? occurrence : planned;
    const isShownAgain = occurrence <= furthest;
    this.#pending = this.#merge({ occurrence, since, isShownAgain, startAtMs: this.#drawStartMs(now, random) });
    return { passedOver };
  }

  /** The run that begins now, if one does. */
  start(now: Moment, random: () => number): DueRun | undefined {
    if (this.#pending === undefined) return undefined;
    const { startAtMs = this.#drawStartMs(now, random), ...due } = this.#pending;
    if (startAtMs > now.monotonicMs) {
      this.#pending = { ...due, startAtMs };
      return undefined;
    }
    this.#pending = undefined;
    const { since, occurrence: to } = due;
    this.#served.note({ since, to, next: this.#next(to), startedAtMs: now.monotonicMs });
    return { job: this.#job.job, ...due };
  }

  /** When it begins next, by the wall clock as it goes now. */
  nextAt({ wall, monotonicMs }: Moment): Date | undefined {
    if (this.#pending === undefined) return this.#planned;
    const { startAtMs = monotonicMs } = this.#pending;
    return new Date(wall.getTime() + Math.max(0, startAtMs - monotonicMs));
  }

  #next(after: Date): Date | undefined {
    return nextOccurrence(this.#job.schedule, this.#job.timeZone, after);
  }

  /** What is pending already takes what came since with it, and begins no later for it. */
  #merge(pending: Pending): Pending {
    const earlier = this.#pending;
    if (earlier === undefined) return pending;
    return {
      occurrence: earlier.occurrence > pending.occurrence ? earlier.occurrence : pending.occurrence,
      since: earlier.since < pending.since ? earlier.since : pending.since,
      isShownAgain: pending.isShownAgain,
      startAtMs: earlier.startAtMs ?? pending.startAtMs,
    };
  }

  #drawStartMs({ monotonicMs }: Moment, random: () => number): number {
    return monotonicMs + random() * this.#job.jitterMs;
  }

  /** A clock that went back shows times again: they are new once the job has rested for half of its usual distance. */
  #wasJustServed(occurrence: Date, { monotonicMs }: Moment): boolean {
    const restedMs = this.#served.servedMsAgo(occurrence, monotonicMs);
    if (restedMs === undefined) return false;
    // Twice the rest is less than the distance if nothing else comes due within it.
    const first = this.#next(new Date(occurrence.getTime() - 2 * restedMs - 1));
    return first === undefined || first >= occurrence;
  }
}
