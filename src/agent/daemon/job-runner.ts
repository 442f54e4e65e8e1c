import { exitStatus } from '../../errors/table.ts';
import { describeCauses } from '../../errors/describe-causes.ts';
import { describeThrown, toWardenError, WardenError } from '../../errors/warden-error.ts';
import { formatTime } from '../../format.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { ProgressEvent } from '../../ports/progress.ts';
import type { Parts, Tellers } from '../compose.ts';
import { resultOf } from '../measure-outcomes.ts';
import { deadlineMs } from './job-limits.ts';
import type { Knowledge } from './knowledge.ts';
import { Lane, type Order } from './lane.ts';
import { RepeatFilter } from './repeat-filter.ts';
import { lanes, scheduledJobs, type JobEnd, type JobOutcome, type ScheduledJobName } from './scheduled-jobs.ts';

export interface RunnerSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly measures: Metrics;
  readonly knowledge: Knowledge;
  /** The configuration as it is now. */
  readonly config: () => Config;
  /** Fresh parts for one run, so that certificates, passwords and keys that changed are read again. */
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
  /** Told after each run; `order` may be tried again. */
  readonly onEnded: (order: Order, error: WardenError | undefined) => void;
}

/** A run that ignores its deadline for so long will not end by itself any more. */
const stuckAfterMs = 2 * 60_000;

/**
 * Carries out what comes due, each job within its deadline, and tells everybody how it went: the log once for each change of
 * state, the metrics always.
 */
export class JobRunner implements AsyncDisposable {
  readonly #surroundings: RunnerSurroundings;
  readonly #lanes: ReadonlyMap<ScheduledJobName, Lane>;
  readonly #filters = new Map<ScheduledJobName, RepeatFilter>();
  /** When each job that runs must have ended, by the monotonic clock. */
  readonly #endsBy = new Map<ScheduledJobName, number>();
  #isEnding = false;

  constructor(surroundings: RunnerSurroundings) {
    this.#surroundings = surroundings;
    const work = (order: Order, signal: AbortSignal): Promise<void> => this.#carryOut(order, signal);
    this.#lanes = new Map(
      Object.values(lanes).flatMap((jobs) => {
        const lane = new Lane(jobs, work);
        return jobs.map((job) => [job, lane] as const);
      }),
    );
  }

  /** Settles only if a lane fails, which only a defect can bring about. */
  get failed(): Promise<never> {
    return Promise.race([...this.#lanes.values()].map((lane) => lane.failed));
  }

  /** Why a run will never end; undefined where all do. */
  get stuckBecause(): string | undefined {
    const now = this.#surroundings.clock.monotonicMs();
    const [stuck] = [...this.#endsBy].find(([, byMs]) => now > byMs + stuckAfterMs) ?? [];
    return stuck === undefined ? undefined : `the ${stuck} outlived its deadline and does not end`;
  }

  /** Does nothing once it was told to end. */
  request(order: Order): void {
    if (this.#isEnding) return;
    const { log, measures } = this.#surroundings;
    const { job } = order;
    const lane = this.#lanes.get(job);
    const replaced = lane?.waiting(job);
    if (lane?.request(order) !== true) {
      measures.jobSkipped(job, 'running');
      log.info('a run was left out: the one before is under way', { job, for: formatTime(order.occurrence) });
    } else if (replaced?.attempt === 0) {
      // What is tried again had its run.
      measures.jobSkipped(job, 'merged');
      log.debug('a run was left out', { job, for: formatTime(replaced.occurrence), reason: 'merged' });
    }
  }

  /** Ends every run, with `reason`. */
  async end(reason: WardenError): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...new Set(this.#lanes.values())].map((lane) => lane.end(reason)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end(new WardenError('interrupted', 'the agent ends'));
  }

  async #carryOut(order: Order, signal: AbortSignal): Promise<void> {
    const { clock, knowledge, measures, onEnded } = this.#surroundings;
    const { job } = order;
    const startedMs = clock.monotonicMs();
    knowledge.jobBegan(job, clock.now());
    measures.jobStarted(job);
    const outcome = await this.#run(order, signal);
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    const fields = { job, for: formatTime(order.occurrence), seconds: toTenths(seconds) };
    if (outcome.kind === 'skipped') {
      this.#tellLeftOut(job, outcome, seconds, fields);
      onEnded(order, undefined);
      return;
    }
    const { error, afterwards } = outcome;
    this.#tell(job, outcome, seconds, fields);
    // Retention after a backup has no run of its own; how it went is told all the same.
    if (afterwards === undefined) return onEnded(order, error);
    const { job: next, seconds: nextSeconds } = afterwards;
    this.#tell(next, afterwards, nextSeconds, { ...fields, job: next, seconds: toTenths(nextSeconds) });
    onEnded(order, error);
  }

  async #run(order: Order, signal: AbortSignal): Promise<JobOutcome> {
    const { clock, measures, knowledge, open } = this.#surroundings;
    const { job, occurrence, isShownAgain } = order;
    const config = this.#surroundings.config();
    const limitMs = deadlineMs(job, config, knowledge);
    this.#endsBy.set(job, clock.monotonicMs() + limitMs);
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(tooLong(job, limitMs)), limitMs);
    const limited = AbortSignal.any([signal, over.signal]);
    const log = this.#logFor(job);
    let outcome: JobOutcome | undefined;
    try {
      await using parts = await open(config, { log, measures });
      const progress = (event: ProgressEvent): void => knowledge.jobProgressed(job, event);
      outcome = await scheduledJobs[job]({ parts: { ...parts, progress }, config, occurrence, isShownAgain }, limited);
      return outcome;
    } catch (thrown) {
      if (outcome !== undefined) {
        // What was done stays done where only the release of what it used failed.
        log.warn('not everything could be released after a run', { job, reason: describeThrown(thrown) });
        return outcome;
      }
      return { kind: 'done', error: toWardenError(limited.aborted ? limited.reason : thrown), text: '' };
    } finally {
      clearTimeout(timer);
      this.#endsBy.delete(job);
    }
  }

  #logFor(job: ScheduledJobName): Log {
    const filter = this.#filters.get(job) ?? new RepeatFilter(this.#surroundings.log);
    this.#filters.set(job, filter);
    return filter.begin();
  }

  #tellLeftOut(
    job: ScheduledJobName,
    { reason, text }: JobOutcome & { kind: 'skipped' },
    seconds: number,
    fields: LogFields,
  ): void {
    const { clock, log, measures, knowledge } = this.#surroundings;
    measures.jobSkipped(job, reason);
    log[reason === 'nothing' ? 'debug' : 'info']('nothing had to be done', { ...fields, reason: text });
    const before = knowledge.lastError(job);
    // What another one did serves the time; a repository that has none of it, or damage that was found, is not served by it.
    const isUnserved = before?.exitStatus === exitStatus.partly || before?.exitStatus === exitStatus.damage;
    const result = reason === 'busy' ? 'busy' : resultOf(reason === 'served' && isUnserved ? before : undefined);
    if (result === 'succeeded') knowledge.jobEnded(job, undefined, clock.now());
    else knowledge.jobLeft(job);
    measures.jobEnded(job, { result, seconds, at: clock.now() });
  }

  #tell(job: ScheduledJobName, { error, text, event }: JobEnd, seconds: number, fields: LogFields): void {
    const { log, measures, knowledge, clock } = this.#surroundings;
    const hadFailed = knowledge.hasFailed(job);
    const { isRepeated } = knowledge.jobEnded(job, error, clock.now());
    measures.jobEnded(job, { result: resultOf(error), seconds, at: clock.now() });
    if (event !== undefined) knowledge.note({ at: clock.now(), kind: event, repository: undefined, text });
    if (error === undefined) {
      log.info(hadFailed ? 'done, for the first time since it failed' : 'done', { ...fields, did: text });
      return;
    }
    const { code, message, hint } = error;
    const failure = { ...fields, code, reason: message, causes: describeCauses(error), hint };
    if (code === 'interrupted') log.warn('ended before it was done', failure);
    else log[isRepeated ? 'debug' : 'error']('failed', failure);
  }
}

function toTenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function tooLong(job: ScheduledJobName, limitMs: number): WardenError {
  return new WardenError('run-too-long', `the ${job} did not end within ${Math.round(limitMs / 1000)} s`);
}
