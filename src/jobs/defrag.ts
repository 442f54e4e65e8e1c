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
  await using lock = await takeLock(parts, options, signal);
  const run = {
    plan: undefined as DefragPlan | undefined,
    members: [] as DefraggedMember[],
    moves: [] as LeaderMove[],
  };
  const done = new Set<bigint>();
  let stoppedBy: WardenError | undefined;
  try {
    for (let isOver = false; !isOver;) {
      await lock?.confirm(signal);
      await using look = await lookNow(parts, options, signal);
      const plan = planNow(look, options, done);
      run.plan ??= plan;
      if (plan.verdict === 'refuse') throw defragRefused(plan, done.size > 0);
      const [step, ...further] = plan.steps;
      if (step === undefined) break;
      // The look took its time.
      lock?.lost.throwIfAborted();
      if (step.moveLeaderTo !== undefined) {
        run.moves.push(await moveAway(step, step.moveLeaderTo, look, parts, run.moves, signal));
        continue;
      }
      parts.progress({ kind: 'stage', text: `defragmenting ${step.member.name}` });
      const member = await defragment(step, look, parts, signal);
      run.members.push(member);
      done.add(step.member.id);
      signal.throwIfAborted();
      if (member.error !== undefined) throw member.error;
      isOver = further.length === 0;
      if (!isOver) await rest(parts, options.pauseMs, lock, signal);
    }
  } catch (thrown) {
    stoppedBy = toWardenError(signal.aborted ? signal.reason : thrown);
  }
  if (run.plan === undefined) throw stoppedBy ?? new WardenError('internal', 'a run ended without a plan');
  const disarmed = signal.aborted || !options.disarmNospace ? untouched : await disarm(parts, options, signal);
  if (signal.aborted) stoppedBy ??= toWardenError(signal.reason);
  return { ...run, plan: run.plan, disarmed, stoppedBy };
}

const untouched: Disarmed = { memberIds: [], stays: undefined };

async function takeLock(
  { lock, etcd, log }: DefragParts,
  { holder }: DefragOptions,
  signal: AbortSignal,
): Promise<HeldLock | undefined> {
  const outcome = await lock?.acquire(holder, signal);
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'held') return outcome.lock;
  if (outcome.kind === 'busy') {
    const since = outcome.since === undefined ? '' : ` since ${outcome.since.toISOString()}`;
    throw new WardenError('busy', `another run works on this cluster${since}: ${outcome.holder}`, {
      details: { holder: outcome.holder },
    });
  }
  // Out of space, etcd takes no lock, and a defragmentation is the cure. What others do is seen in the members' metrics.
  if (await isOutOfSpace(etcd, signal)) {
    log.warn('going on without the lock: etcd is out of space', { reason: outcome.reason });
    return undefined;
  }
  throw new WardenError('defrag-refused', `nothing is defragmented: the lock cannot be taken: ${outcome.reason}`, {
    details: { because: 'no-lock' },
    hint: 'Bring the cluster to quorum and let the user of cluster.auth write coordination.key, or set coordination.lock to none.',
  });
}

async function isOutOfSpace(etcd: Etcd, signal: AbortSignal): Promise<boolean> {
  const { members } = await etcd.discover(signal);
  for (const member of members.filter(({ endpoint }) => endpoint !== undefined)) {
    await using client = etcd.connect(member);
    const alarms = await client.alarms(signal).catch(() => undefined);
    signal.throwIfAborted();
    if (alarms !== undefined) return alarms.some(({ type }) => type === 'NOSPACE');
  }
  return false;
}

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
    const names = look.facts.members.map(({ name }) => name).join(', ');
    throw new WardenError('usage', `--member must be one of ${names}, got ${JSON.stringify(request.only)}`);
  }
  return planDefrag(policy, look.facts, { ...request, done });
}

async function moveAway(
  { member }: DefragStep,
  successor: MemberFacts,
  look: ClusterLook,
  { clock, log, progress }: DefragParts,
  moves: readonly LeaderMove[],
  signal: AbortSignal,
): Promise<LeaderMove> {
  const move = { from: member.name, to: successor.name };
  if (moves.some(({ from }) => from === move.from)) {
    throw new WardenError('defrag-failed', `${move.from} leads again after leadership was moved away from it`, {
      details: { member: move.from },
    });
  }
  progress({ kind: 'stage', text: `moving leadership from ${move.from} to ${move.to}` });
  await handOver(look, member, successor, clock, signal);
  log.info('leadership moved', move);
  return move;
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
