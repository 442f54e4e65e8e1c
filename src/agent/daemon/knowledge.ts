import type { ClusterFacts } from '../../defrag/facts.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import type { JobName } from '../../ports/metrics.ts';
import type { ProgressEvent } from '../../ports/progress.ts';
import type { AgentEvent, JobFailure, RefusedReload, RunningJob } from '../agent-status.ts';
import type { CatalogueSummary } from '../summarize-catalogue.ts';

/** What is known of one repository: the last listing that succeeded, and why the last one failed if it did. */
export interface KnownRepository {
  readonly location: string;
  readonly summary: CatalogueSummary | undefined;
  readonly failure: LookFailure | undefined;
}

export interface LookFailure {
  /** Of the last look. */
  readonly error: WardenError;
  /** Of the first of those that have failed in a row. */
  readonly since: Date;
}

/** Enough for days of trouble; the page shows them by the hour. */
const mostEvents = 500;

/**
 * What the agent has seen and done, for whoever asks. All of it is forgotten with the process; what must outlive it is in
 * the repositories, and is read from there.
 */
export class Knowledge {
  readonly repositories = new Map<string, KnownRepository>();
  members: { readonly seenAt: Date; readonly facts: ClusterFacts } | undefined;
  membersFailure: LookFailure | undefined;
  refusedReload: RefusedReload | undefined;
  readonly #running = new Map<JobName, RunningJob>();
  readonly #failures = new Map<JobName, JobFailure>();
  readonly #errors = new Map<JobName, WardenError>();
  /** Oldest first. */
  readonly #events: AgentEvent[] = [];

  get running(): readonly RunningJob[] {
    return [...this.#running.values()];
  }

  /** Of jobs whose last run failed, newest first. */
  get failures(): readonly JobFailure[] {
    return [...this.#failures.values()].sort((one, other) => other.at.getTime() - one.at.getTime());
  }

  get events(): readonly AgentEvent[] {
    return this.#events;
  }

  /** Forgets repositories that the configuration no longer names. */
  keepRepositories(names: ReadonlySet<string>): void {
    for (const name of this.repositories.keys()) if (!names.has(name)) this.repositories.delete(name);
  }

  jobBegan(job: JobName, since: Date): void {
    this.#running.set(job, { job, since, stage: '', doneBytes: undefined, totalBytes: undefined });
  }

  jobProgressed(job: JobName, event: ProgressEvent): void {
    const running = this.#running.get(job);
    if (running === undefined) return;
    const { job: _, since, stage } = running;
    const { doneBytes, totalBytes } = event.kind === 'bytes' ? event : { doneBytes: undefined, totalBytes: undefined };
    this.#running.set(job, { job, since, stage: event.kind === 'stage' ? event.text : stage, doneBytes, totalBytes });
  }

  repositoryListed(name: string, location: string, summary: CatalogueSummary): void {
    this.repositories.set(name, { location, summary, failure: undefined });
  }

  /** What it told before stays known. */
  repositoryFailed(name: string, error: WardenError, at: Date, location?: string): void {
    const { summary, failure, location: known = '' } = this.repositories.get(name) ?? {};
    this.repositories.set(name, { location: location ?? known, summary, failure: goOn(failure, error, at) });
  }

  membersSeen(facts: ClusterFacts): void {
    this.members = { seenAt: facts.now, facts };
    this.membersFailure = undefined;
  }

  membersFailed(error: WardenError, at: Date): void {
    this.membersFailure = goOn(this.membersFailure, error, at);
  }

  /** Somebody else did it or does it: what is known of its last end stays. */
  jobLeft(job: JobName): void {
    this.#running.delete(job);
  }

  /** Says whether the same failure is one that the run before had as well. */
  jobEnded(job: JobName, error: WardenError | undefined, at: Date): { readonly isRepeated: boolean } {
    this.#running.delete(job);
    const before = this.#failures.get(job);
    if (error === undefined) {
      this.#failures.delete(job);
      this.#errors.delete(job);
      return { isRepeated: false };
    }
    const { code, message, hint } = error;
    const isRepeated = before?.code === code;
    this.#errors.set(job, error);
    this.#failures.set(job, { job, at, code, message, hint, times: isRepeated ? before.times + 1 : 1 });
    this.note({ at, kind: 'failed', repository: undefined, text: `${job}: ${message}` });
    return { isRepeated };
  }

  /** What its last run ended with; undefined where that was well. */
  lastError(job: JobName): WardenError | undefined {
    return this.#errors.get(job);
  }

  /** Forgets jobs that are no longer scheduled. */
  keepJobs(jobs: ReadonlySet<JobName>): void {
    for (const job of this.#failures.keys()) {
      if (jobs.has(job)) continue;
      this.#failures.delete(job);
      this.#errors.delete(job);
    }
  }

  hasFailed(job: JobName): boolean {
    return this.#failures.has(job);
  }

  note(event: AgentEvent): void {
    this.#events.push(event);
    if (this.#events.length > mostEvents) this.#events.shift();
  }
}

function goOn(before: LookFailure | undefined, error: WardenError, at: Date): LookFailure {
  return { error, since: before?.since ?? at };
}
