import type { Config } from '../../config/schema.ts';
import { isWardenError, type WardenError } from '../../errors/warden-error.ts';
import type { PrunedRepository } from '../../jobs/prune.ts';
import type { JobName, SkipReason } from '../../ports/metrics.ts';
import type { Progress } from '../../ports/progress.ts';
import { isWindowOpen } from '../../schedule/windows.ts';
import type { AgentEvent } from '../agent-status.ts';
import type { Parts } from '../compose.ts';
import { describeHolder } from '../describe-holder.ts';
import { withClusterLock } from '../hold-lock.ts';
import { withPolicies } from '../retention.ts';
import { runBackup, runDueBackup } from '../runs/backup.ts';
import { judgePruned } from '../runs/judge.ts';
import { runDefrag } from '../runs/defrag.ts';
import { runPrune } from '../runs/prune.ts';
import { runVerify } from '../runs/verify.ts';
import { findEvidenceSince } from '../served.ts';

/** What there is to know of a run that came due. */
export interface ScheduledRun {
  readonly parts: Parts & { readonly progress: Progress; readonly lost?: AbortSignal };
  readonly config: Config;
  /** The time that it is for. */
  readonly occurrence: Date;
  /** The clock went back and shows that time again: what is dated since then may be old, and serves nobody. */
  readonly isShownAgain: boolean;
}

/** How a job ended. */
export interface JobEnd {
  /** What went wrong, although some of it may have been done. */
  readonly error: WardenError | undefined;
  /** What was done, for people. */
  readonly text: string;
  /** What it is for the timeline; undefined where nothing changed, or where the repository tells it. */
  readonly event?: AgentEvent['kind'];
}

export type JobOutcome =
  /** `afterwards`: another job that came right after this one and with it. */
  | (JobEnd & {
      readonly kind: 'done';
      readonly afterwards?: JobEnd & { readonly job: ScheduledJobName; readonly seconds: number };
    })
  /** Nothing had to be done, or somebody else does it. */
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly text: string };

type RunJob = (due: ScheduledRun, signal: AbortSignal) => Promise<JobOutcome>;

export type ScheduledJobName = Exclude<JobName, 'drill'>;

/** What works on etcd: one at a time, the backup first. What only reads and clears repositories never keeps it waiting. */
export const lanes = {
  cluster: ['backup', 'defrag'],
  repositories: ['prune', 'verify'],
} as const satisfies Record<string, readonly ScheduledJobName[]>;

/** Does what came due, as the command of its name does it. */
export const scheduledJobs: Readonly<Record<ScheduledJobName, RunJob>> = {
  backup: runScheduledBackup,
  defrag: runScheduledDefrag,
  verify: onRepositories('verify', runScheduledVerify),
  prune: onRepositories('prune', runScheduledPrune),
};

async function runScheduledBackup(due: ScheduledRun, signal: AbortSignal): Promise<JobOutcome> {
  const { parts, config, occurrence, isShownAgain } = due;
  const run = await (isShownAgain
    ? runBackup(parts, config, {}, signal)
    : runDueBackup(parts, config, occurrence, signal));
  if (typeof run === 'string') return { kind: 'skipped', reason: 'served', text: `there is ${run} already` };
  const { result, pruned, pruneSeconds: seconds, error } = run;
  const text = `${result.place.id.text} in ${result.stored.join(', ')}`;
  if (pruned.length === 0) return { kind: 'done', error, text };
  return {
    kind: 'done',
    error,
    text,
    afterwards: { job: 'prune', seconds, ...describePrune(pruned, judgePruned(pruned)) },
  };
}

async function runScheduledDefrag({ parts, config }: ScheduledRun, signal: AbortSignal): Promise<JobOutcome> {
  const { windows } = config.schedules.defrag;
  const isOutsideWindow = !isWindowOpen(windows, config.schedules.timeZone, parts.clock.now());
  const request = { forceRule: false, acceptUnsafeVersion: false, isOutsideWindow };
  try {
    const { run, error } = await runDefrag(parts, config, request, signal);
    const names = run.members.map(({ name }) => name);
    if (names.length > 0 || error !== undefined)
      return {
        kind: 'done',
        error,
        text: names.join(', '),
        ...(names.length > 0 && { event: 'defragmented' as const }),
      };
    return { kind: 'skipped', reason: 'nothing', text: isOutsideWindow ? 'no window is open' : 'no member is due' };
  } catch (error) {
    if (!isWardenError(error, 'busy')) throw error;
    // The next look is soon enough.
    return { kind: 'skipped', reason: 'busy', text: error.message };
  }
}

async function runScheduledVerify(due: ScheduledRun, signal: AbortSignal): Promise<JobOutcome> {
  const { parts, config, occurrence, isShownAgain } = due;
  const servedBy = isShownAgain ? undefined : await findEvidenceSince(parts, config.cluster.name, occurrence, signal);
  if (servedBy !== undefined) return { kind: 'skipped', reason: 'served', text: servedBy };
  const { result, error } = await runVerify(
    parts,
    config,
    { kind: 'rotation', ...config.schedules.verify.subset },
    signal,
  );
  // A new installation has none; that none comes is for others to tell.
  const isEmpty = result.backups.length === 0 && [...result.failed.values()].every(hasNoBackup);
  if (error !== undefined && isEmpty) return { kind: 'skipped', reason: 'nothing', text: error.message };
  const proved = result.backups.filter((backup) => backup.error === undefined).length;
  return { kind: 'done', error, text: `${proved} of ${result.backups.length} backups proved whole` };
}

const hasNoBackup = (error: WardenError): boolean => isWardenError(error, 'backup-not-found');

async function runScheduledPrune({ parts, config }: ScheduledRun, signal: AbortSignal): Promise<JobOutcome> {
  const repositories = withPolicies(parts.repositories, config);
  const request = { dryRun: false, lineage: undefined, accepted: new Set<never>() };
  const { pruned, error } = await runPrune({ ...parts, repositories }, config, request, signal);
  return { kind: 'done', ...describePrune(pruned, error) };
}

function describePrune(pruned: readonly PrunedRepository[], error: WardenError | undefined): JobEnd {
  const removed = pruned.flatMap(({ removals }) => [...removals.values()]).filter(({ kind }) => kind === 'removed');
  const text = `${removed.length} backups removed`;
  return removed.length === 0 ? { error, text } : { error, text, event: 'pruned' };
}

/** Of several daemons one does it: the others would read the same bytes again. So it stops where another may have begun. */
function onRepositories(job: ScheduledJobName, run: RunJob): RunJob {
  return async (due, signal) => {
    const { parts } = due;
    const { repositoriesLock: lock, clock, log, progress } = parts;
    const holder = describeHolder(job);
    let isBegun = false;
    try {
      return await withClusterLock({ lock, clock, log, progress }, { holder, waitMs: 0 }, signal, (_, lost) => {
        // What this run did before it lost the lock does not serve its time.
        const isShownAgain = due.isShownAgain || isBegun;
        isBegun = true;
        return run({ ...due, parts: { ...parts, lost }, isShownAgain }, signal);
      });
    } catch (error) {
      if (!isWardenError(error, 'busy')) throw error;
      return { kind: 'skipped', reason: 'busy', text: error.message };
    }
  };
}
