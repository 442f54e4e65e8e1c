import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberFacts } from '../defrag/facts.ts';
import { planDefrag } from '../defrag/plan-defrag.ts';
import type { DefragPlan, DefragStep } from '../defrag/plan.ts';
import type { DefragPolicy } from '../defrag/policy.ts';
import { defragRefused } from '../defrag/refusal-error.ts';
import { selectsNobody, type DefragRequest } from '../defrag/request.ts';
import { describeThrown, toWardenError, WardenError } from '../errors/warden-error.ts';
import { defragment, type DefraggedMember } from '../members/defragment.ts';
import { disarmNospace, type Disarmed } from '../members/disarm.ts';
import { handOver } from '../members/hand-over.ts';
import { lookAtCluster, type ClusterLook } from '../members/look.ts';
import { lookOnceMore } from '../members/look-once-more.ts';
import { takeLock } from '../members/take-lock.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecord, DefragRecords } from '../ports/defrag-records.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { ClusterLock, HeldLock } from '../ports/lock.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import type { Progress } from '../ports/progress.ts';

export interface DefragParts {
  readonly etcd: Etcd;
  readonly metrics: MemberMetrics;
  readonly records: DefragRecords;
  /** undefined where coordination is turned off. */
  readonly lock: ClusterLock | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** When the newest usable backup of this cluster was taken; asked only where the policy requires one. */
  readonly findNewestBackup: (clusterId: bigint, signal: AbortSignal) => Promise<Date | undefined>;
}

export interface DefragOptions {
  readonly policy: DefragPolicy;
  readonly request: Omit<DefragRequest, 'done'>;
  /** For every member; undefined: they are asked. */
  readonly quotaBytes: number | undefined;
  /** Rest between one member and the next. */
  readonly pauseMs: number;
  readonly disarmNospace: boolean;
  /** Who asks, for whoever finds the lock taken. */
  readonly holder: string;
}

export interface LeaderMove {
  readonly from: string;
  readonly to: string;
}

export interface DefragRun {
  /** The plan that the run began with, which is also what a dry run shows. */
  readonly plan: DefragPlan;
  readonly members: readonly DefraggedMember[];
  readonly moves: readonly LeaderMove[];
  readonly disarmed: Disarmed;
  /** Why it stopped before everything that was due was done. */
  readonly stoppedBy: WardenError | undefined;
}

/** What a run would do now. Takes no lock and changes nothing. */
export async function planDefragmentation(
  parts: DefragParts,
  options: DefragOptions,
  signal: AbortSignal,
): Promise<DefragPlan> {
  await using look = await lookNow(parts, options, signal);
  return planNow(look, options, new Set());
}

/**
 * Defragments the members that are due, one at a time, looking and planning again before each, and stops at the first thing
 * that is wrong. Rejects with `busy`, or with what kept it from planning at all.
 */
export async function runDefrag(parts: DefragParts, options: DefragOptions, signal: AbortSignal): Promise<DefragRun> {
  await using lock = await takeLock(parts, options.holder, signal);
  const run = {
    plan: undefined as DefragPlan | undefined,
    members: [] as DefraggedMember[],
    moves: [] as LeaderMove[],
  };
  const done = new Set<bigint>();
  let isOutOfSpace = false;
  let stoppedBy: WardenError | undefined;
  let passedOver: WardenError | undefined;
  try {
    for (let isOver = false; !isOver;) {
      await lock?.confirm(signal);
      await using look = await lookNow(parts, options, signal);
      isOutOfSpace ||= look.facts.alarms.some(({ type }) => type === 'NOSPACE');
      const plan = planNow(look, options, done);
      run.plan ??= plan;
      if (plan.verdict === 'refuse') throw defragRefused(plan, done.size > 0);
      const [step, ...further] = plan.steps;
      if (step === undefined) break;
      const lookAgain = async (): Promise<void> => {
        const isLockless = lock === undefined && parts.lock !== undefined;
        await lookOnceMore(step, parts, { ...options, isLockless, isUnderWay: done.size > 0 }, signal);
        // The last word before etcd is asked to do something.
        await lock?.confirm(signal);
      };
      if (step.moveLeaderTo !== undefined) {
        await lookAgain();
        await moveAway(step, step.moveLeaderTo, look, parts, run.moves, signal);
        continue;
      }
      parts.progress({ kind: 'stage', text: `defragmenting ${step.member.name}` });
      const member = await defragment(step, look, parts, lookAgain, signal);
      run.members.push(member);
      done.add(step.member.id);
      signal.throwIfAborted();
      if (member.error !== undefined) {
        if (!isOutOfSpace || member.error.code !== 'defrag-failed') throw member.error;
        // Out of space nothing can be remembered, and the next run would begin with this one again: the others come first.
        passedOver = member.error;
      }
      isOver = further.length === 0;
      if (!isOver) await rest(parts, options.pauseMs, lock, signal);
    }
  } catch (thrown) {
    stoppedBy = toWardenError(signal.aborted ? signal.reason : thrown);
  }
  if (run.plan === undefined) throw stoppedBy ?? new WardenError('internal', 'a run ended without a plan');
  const mayDisarm = isOutOfSpace && options.disarmNospace && !signal.aborted;
  const disarmed = mayDisarm ? await disarm(parts, options, signal) : untouched;
  if (signal.aborted) stoppedBy = describeInterruption(toWardenError(signal.reason), run.members.at(-1));
  return { ...run, plan: run.plan, disarmed, stoppedBy: stoppedBy ?? passedOver ?? nospaceStays(disarmed) };
}

/** Whoever reads that the run was ended must not restart a member that is still at work. */
function describeInterruption(reason: WardenError, last: DefraggedMember | undefined): WardenError {
  if (last?.error?.code !== 'defrag-unfinished') return reason;
  return new WardenError(reason.code, `${reason.message}; member ${last.name} may still be defragmenting`, {
    details: { ...reason.details, member: last.name },
    hint: last.error.hint,
    cause: reason,
  });
}

/** Nothing can be written while it does: that must not pass for all being well. */
function nospaceStays({ stays }: Disarmed): WardenError | undefined {
  return stays === undefined ? undefined : new WardenError('nospace-stays', stays);
}

const untouched: Disarmed = { memberIds: [], stays: undefined };

async function lookNow(parts: DefragParts, options: DefragOptions, signal: AbortSignal): Promise<ClusterLook> {
  const records = await readRecords(parts, signal);
  const { policy, quotaBytes } = options;
  const needsBackup = policy.requireBackupWithinMs > 0;
  const { findNewestBackup } = parts;
  return lookAtCluster(parts, { quotaBytes, records, ...(needsBackup && { findNewestBackup }) }, signal);
}

async function readRecords(
  { records, log }: DefragParts,
  signal: AbortSignal,
): Promise<ReadonlyMap<bigint, DefragRecord>> {
  try {
    return await records.readAll(signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('earlier defragmentations are not known', { reason: describeThrown(error) });
    return new Map();
  }
}

function planNow(look: ClusterLook, { policy, request }: DefragOptions, done: ReadonlySet<bigint>): DefragPlan {
  if (selectsNobody(look.facts, request.only)) {
    const names = look.facts.members
      .map(({ name }) => name)
      .sort()
      .join(', ');
    throw new WardenError('usage', `--member must be one of ${names}, got ${JSON.stringify(request.only)}`);
  }
  return planDefrag(policy, look.facts, { ...request, done });
}

async function moveAway(
  { member }: DefragStep,
  successor: MemberFacts,
  look: ClusterLook,
  { clock, log, progress }: DefragParts,
  moves: LeaderMove[],
  signal: AbortSignal,
): Promise<void> {
  const move = { from: member.name, to: successor.name };
  if (moves.some(({ from }) => from === move.from)) {
    throw new WardenError('defrag-failed', `${move.from} leads again after leadership was moved away from it`, {
      details: { member: move.from },
    });
  }
  progress({ kind: 'stage', text: `moving leadership from ${move.from} to ${move.to}` });
  // Said before it is known how it ends: leadership may arrive after we stopped waiting.
  moves.push(move);
  await handOver(look, member, successor, clock, signal);
  log.info('leadership moved', move);
}

/** Gives the member time to catch up and its clients time to come back. Losing the lock ends it. */
async function rest(
  { progress }: DefragParts,
  pauseMs: number,
  lock: HeldLock | undefined,
  signal: AbortSignal,
): Promise<void> {
  progress({ kind: 'stage', text: `resting for ${Math.round(pauseMs / 1000)} s` });
  const ended = lock === undefined ? signal : AbortSignal.any([signal, lock.lost]);
  await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined);
  ended.throwIfAborted();
}

/** Never rejects: what was done before is to be told. */
async function disarm(parts: DefragParts, { quotaBytes }: DefragOptions, signal: AbortSignal): Promise<Disarmed> {
  try {
    await using look = await lookAtCluster(parts, { quotaBytes, records: new Map() }, signal);
    return await disarmNospace(look, parts.log, signal);
  } catch (error) {
    return { memberIds: [], stays: describeThrown(error) };
  }
}
