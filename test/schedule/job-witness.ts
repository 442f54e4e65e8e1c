import type { DueRun, Moment, TimedJob } from '../../src/schedule/planned-job.ts';
import type { Beat } from '../../src/schedule/timetable.ts';
import { KnownDays } from './known-days.ts';

interface Open {
  readonly since: number;
  readonly to: number;
  /** The first beat from then on is the last at which it may begin; undefined before the first beat. */
  readonly startsByMs: number | undefined;
  readonly isShownAgain: boolean;
}

/**
 * Watches what a timetable does with one job, beat by beat, and says what it should not have done: a run out of nothing, one
 * that is lost or late, a time that is served twice too soon, one that is left out without reason.
 */
export class JobWitness {
  readonly faults: string[] = [];
  /** What happened how often. */
  readonly seen = { run: 0, merged: 0, shownAgain: 0, served: 0, late: 0 };
  readonly #job: TimedJob;
  readonly #days: KnownDays;
  #open: Open | undefined;
  #furthestMs = 0;
  #nextMs = 0;
  /** Times that runs stood for: by themselves, and with others. */
  #single = new Set<number>();
  #ranges: { readonly since: number; readonly to: number }[] = [];
  #lastStartMs = -Infinity;

  constructor(job: TimedJob, expression: string) {
    this.#job = job;
    this.#days = new KnownDays(expression, job.timeZone);
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** When it comes due next by the wall clock. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** A new process knows nothing; it has to make up for the last time. */
  begin({ wall }: Moment): void {
    const wallMs = wall.getTime();
    const missed = this.#job.missed === 'run-once' ? this.#days.latest(-Infinity, wallMs) : undefined;
    this.#open =
      missed === undefined ? undefined : { since: missed, to: missed, startsByMs: undefined, isShownAgain: false };
    this.#furthestMs = wallMs;
    this.#nextMs = this.#days.next(wallMs);
    this.#single = new Set();
    this.#ranges = [];
    this.#lastStartMs = -Infinity;
  }

  see(before: Moment, now: Moment, { due, leftOut }: Pick<Beat, 'due' | 'leftOut'>, nextAt: Date | undefined): void {
    const { job } = this.#job;
    const own = leftOut.find((left) => left.job === job);
    const wallMs = now.wall.getTime();
    if (wallMs < before.wall.getTime()) this.#nextMs = this.#days.next(wallMs);
    if (this.#nextMs <= wallMs) {
      const latest = this.#days.latest(this.#nextMs - 1, wallMs) ?? this.#nextMs;
      this.#judgePassage(this.#nextMs, latest, now, own);
      this.#nextMs = this.#days.next(wallMs);
    } else if (own !== undefined) this.#fault(now, 'left out what did not come due');
    this.#furthestMs = Math.max(this.#furthestMs, wallMs);
    this.#judgeStart(
      now,
      due.find((run) => run.job === job),
    );
    if (!this.isOpen && nextAt?.getTime() !== this.#nextMs) this.#fault(now, `names ${nextAt?.toISOString()} as next`);
  }

  #judgePassage(first: number, latest: number, now: Moment, left: Beat['leftOut'][number] | undefined): void {
    const { missed, jitterMs } = this.#job;
    const isTooSoon = now.monotonicMs - this.#lastStartMs < this.#days.halfDistance(latest);
    const isLate = missed === 'skip' && now.wall.getTime() - latest > 60_000;
    const expected = isTooSoon && this.#wasServed(latest) ? 'served' : isLate ? 'late' : undefined;
    if (left?.because !== expected) {
      this.#fault(now, `${left?.because ?? 'not'} left out, expected ${expected ?? 'a run'}`);
    }
    if (left !== undefined) {
      this.seen[left.because] += 1;
      if (left.occurrence.getTime() !== latest) this.#fault(now, 'left out another time');
      return;
    }
    const since = missed === 'skip' ? latest : first;
    this.#open = {
      since: Math.min(since, this.#open?.since ?? since),
      to: Math.max(latest, this.#open?.to ?? latest),
      startsByMs: this.#open === undefined ? now.monotonicMs + jitterMs : this.#open.startsByMs,
      isShownAgain: latest <= this.#furthestMs,
    };
  }

  #judgeStart(now: Moment, run: DueRun | undefined): void {
    const open = this.#open;
    if (open === undefined) {
      if (run !== undefined) this.#fault(now, 'a run out of nothing');
      return;
    }
    const startsByMs = open.startsByMs ?? now.monotonicMs + this.#job.jitterMs;
    if (run === undefined) {
      if (now.monotonicMs >= startsByMs) this.#fault(now, 'no run within the jitter');
      this.#open = { ...open, startsByMs };
      return;
    }
    this.#open = undefined;
    const [since, to] = [run.since.getTime(), run.occurrence.getTime()];
    if (since !== open.since || to !== open.to) this.#fault(now, 'a run that stands for other times');
    if (run.isShownAgain !== open.isShownAgain) this.#fault(now, 'wrong about whether its time is shown again');
    if (since === to) this.#single.add(to);
    else this.#ranges.push({ since, to });
    this.#lastStartMs = now.monotonicMs;
    this.seen.run += 1;
    if (since !== to) this.seen.merged += 1;
    if (run.isShownAgain) this.seen.shownAgain += 1;
  }

  #wasServed(time: number): boolean {
    return this.#single.has(time) || this.#ranges.some(({ since, to }) => since <= time && time <= to);
  }

  #fault({ wall, monotonicMs }: Moment, what: string): void {
    const { job, timeZone } = this.#job;
    this.faults.push(`${job} in ${timeZone}: ${what}, at ${wall.toISOString()}, ${Math.round(monotonicMs)} ms`);
  }
}
