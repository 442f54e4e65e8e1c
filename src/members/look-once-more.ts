import { setTimeout as sleep } from 'node:timers/promises';
import type { DefragRefusal, DefragStep } from '../defrag/plan.ts';
import type { DefragPolicy } from '../defrag/policy.ts';
import { defragRefused } from '../defrag/refusal-error.ts';
import { refuseStep } from '../defrag/refuse-step.ts';
import type { DefragRequest } from '../defrag/request.ts';
import { WardenError } from '../errors/warden-error.ts';
import { lookAtCluster, type ClusterLook, type LookParts } from './look.ts';

export interface OnceMoreOptions {
  readonly policy: DefragPolicy;
  readonly request: Omit<DefragRequest, 'done'>;
  /** For every member; undefined: they are asked. */
  readonly quotaBytes: number | undefined;
  /** Whether this run wanted the lock and goes on without it. */
  readonly isLockless: boolean;
  /** Whether a member was defragmented already: then it is the rest that is refused. */
  readonly isUnderWay: boolean;
}

/** Right before a step: what was seen before it was prepared may have changed since. Rejects with `defrag-refused`. */
export async function lookOnceMore(
  step: DefragStep,
  parts: LookParts,
  { policy, request, quotaBytes, isLockless, isUnderWay }: OnceMoreOptions,
  signal: AbortSignal,
): Promise<void> {
  // Two runs that have no lock to part them do not look at the same moment.
  if (isLockless) await sleep(1000 + Math.random() * 2000, undefined, { signal }).catch(() => undefined);
  await using look = await lookAtCluster(parts, { quotaBytes, records: new Map() }, signal);
  // It was judged a moment ago, and repositories are slow to ask.
  const refusal = refuseStep({ step, policy: { ...policy, requireBackupWithinMs: 0 }, facts: look.facts, request });
  const found = refusal ?? findOtherRun(step, look);
  if (found !== undefined) throw defragRefused(found, isUnderWay);
  if (isLockless) requireSight(look);
}

/** Nothing but a defragmentation makes a database smaller: a run without the lock came first, and is over already. */
function findOtherRun({ member }: DefragStep, { facts }: ClusterLook): DefragRefusal | undefined {
  const nowBytes = facts.members.find(({ id }) => id === member.id)?.answer?.dbSizeBytes;
  if (nowBytes === undefined || nowBytes >= (member.answer?.dbSizeBytes ?? 0)) return undefined;
  return { because: 'defrag-running', explanation: `somebody else has just defragmented ${member.name}` };
}

/** Without the lock only the members' metrics tell of other runs and of snapshots. */
function requireSight({ facts }: ClusterLook): void {
  const unseen = facts.members.filter(({ isLearner, activity }) => !isLearner && activity.kind !== 'seen');
  if (unseen.length === 0) return;
  const names = unseen.map(({ name }) => name).join(', ');
  throw new WardenError(
    'defrag-refused',
    `nothing is defragmented (no-lock): out of space etcd takes no lock, and what ${names} is doing cannot be seen`,
    {
      details: { because: 'no-lock' },
      hint: 'Set cluster.metrics to where the members serve /metrics.',
    },
  );
}
