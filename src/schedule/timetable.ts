import { PlannedJob, type DueRun, type LeftOut, type Moment, type PassedOver, type TimedJob } from './planned-job.ts';

/** More than clocks are slewed by between two beats: what goes beyond it is a jump. */
const slewMs = 500;

export interface Beat {
  /** Runs that begin now, in the order of the jobs. */
  readonly due: readonly DueRun[];
  readonly leftOut: readonly LeftOut[];
  readonly passedOver: readonly PassedOver[];
  /** By how much the wall clock moved beyond the passing of time; undefined where it did not. */
  readonly clockJumpMs: number | undefined;
}

/**
 * When each job begins, whatever the clock does. Somebody tells it the time, about once a second; between two such beats
 * the wall clock went from one time to another, and what came due between them is due now.
 *
 * - Forward, by passing of time, a jump, a blocked loop or a suspended machine: all that was passed over is one run.
 *   `skip`: only the last of it, and only if it is no more than a minute late.
 * - Back: nothing came due, and what comes next is reckoned from the new time. A time that a run stood for already is
 *   left out while that job has rested for less than half of its usual distance. So a small correction repeats nothing,
 *   and after a large one nobody waits until the clock has caught up.
 * - A job that is due begins within its jitter, measured by a clock that does not jump; what comes due meanwhile is merged.
 * - At the beginning a job that makes up for missed runs is due for its last time before. Whether that one was served is
 *   not known here: the repository knows.
 *
 * The next time is reckoned strictly after the clock's at the beat that passes the last one. So it never lies in the past
 * for longer than until the next beat, and a job cannot hang on a time that has gone by. A beat costs the same whatever it
 * passes over.
 *
 * Runs in progress and retries are the caller's business.
 */
export class Timetable {
  readonly #jobs: ReadonlyMap<string, PlannedJob>;
  #last: Moment;

  /** @param before whose place it takes: a job that is planned as it was goes on as it is, and makes up for nothing anew */
  constructor(jobs: readonly TimedJob[], at: Moment, before?: Timetable) {
    this.#jobs = new Map(
      jobs.map((job) => {
        const known = before === undefined ? undefined : before.#jobs.get(job.job);
        return [job.job, known?.isPlannedAs(job) === true ? known : new PlannedJob(job, at)];
      }),
    );
    this.#last = at;
  }

  /** @param random from 0 up to, but not including, 1 */
  beat(now: Moment, random: () => number): Beat {
    const before = this.#last;
    this.#last = now;
    const jobs = [...this.#jobs.values()];
    const noticed = jobs.map((job) => job.notice(before, now, random));
    return {
      leftOut: noticed.flatMap(({ leftOut }) => leftOut ?? []),
      passedOver: noticed.flatMap(({ passedOver }) => passedOver ?? []),
      due: jobs.flatMap((job) => job.start(now, random) ?? []),
      clockJumpMs: findJump(before, now),
    };
  }

  /** When the job begins next, by the clock as it stood at the last beat. */
  nextAt(job: string): Date | undefined {
    return this.#jobs.get(job)?.nextAt(this.#last);
  }
}

function findJump(before: Moment, now: Moment): number | undefined {
  const wallMs = now.wall.getTime() - before.wall.getTime();
  const jumpMs = Math.round(wallMs - (now.monotonicMs - before.monotonicMs));
  return Math.abs(jumpMs) > slewMs ? jumpMs : undefined;
}
