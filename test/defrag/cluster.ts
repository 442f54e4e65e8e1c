import type { ClusterFacts, MemberAnswer, MemberFacts } from '../../src/defrag/facts.ts';
import type { DefragPlan } from '../../src/defrag/plan.ts';
import { planDefrag } from '../../src/defrag/plan-defrag.ts';
import type { DefragPolicy } from '../../src/defrag/policy.ts';
import type { DefragRequest } from '../../src/defrag/request.ts';

/** Clusters and what becomes of them, in few words. */

export const MiB = 2 ** 20;
export const GiB = 2 ** 30;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const now = new Date('2026-11-25T12:00Z');

/** What the configuration says by default. */
export const defaults: DefragPolicy = {
  rules: [
    { fragmentationAbove: 0.45, dbSizeAboveBytes: 100 * MiB, reclaimableAbove: { bytes: 64 * MiB } },
    { usageAbove: 0.75, reclaimableAbove: { fractionOfQuota: 0.1 } },
  ],
  minReclaimBytes: 32 * MiB,
  emergencyUsage: 0.9,
  cooldownMs: 6 * hourMs,
  moveLeader: true,
  maxRaftLag: 1000,
  allowSingleMember: false,
  requireBackupWithinMs: 0,
};

/** Of a member and its answer at once; `silent` is one that does not answer, and why. */
export interface Changes extends Partial<Omit<MemberFacts, 'answer'>>, Partial<MemberAnswer> {
  readonly silent?: string;
}

export const idOf = (index: number): bigint => BigInt(0xa0 + index);

/** Fragmented by three quarters of 1 GiB, healthy, and following `etcd-0`. */
export function member(index: number, changes: Changes = {}): MemberFacts {
  const { silent, version, leaderId, raftTerm, raftIndex, raftAppliedIndex, dbSizeBytes, inUseBytes, ...others } =
    changes;
  const { knownMemberIds, ...facts } = others;
  const answer: MemberAnswer = {
    version: version ?? '3.6.16',
    leaderId: leaderId ?? idOf(0),
    raftTerm: raftTerm ?? 7n,
    raftIndex: raftIndex ?? 1_000_000n,
    raftAppliedIndex: raftAppliedIndex ?? raftIndex ?? 1_000_000n,
    dbSizeBytes: dbSizeBytes ?? GiB,
    inUseBytes: inUseBytes ?? GiB / 4,
    knownMemberIds,
  };
  return {
    id: idOf(index),
    name: `etcd-${index}`,
    isLearner: false,
    isUnstarted: false,
    answer: silent === undefined && facts.isUnstarted !== true ? answer : undefined,
    unreachableBecause: silent,
    quota: { kind: 'limited', bytes: 8 * GiB, source: 'status' },
    activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: false },
    lastDefrag: undefined,
    ...facts,
  };
}

/** Nothing to gain from it. */
export const compact: Changes = { dbSizeBytes: GiB, inUseBytes: GiB - MiB };
export const learner: Changes = { isLearner: true };
export const unstarted: Changes = { isUnstarted: true, name: '' };

/** `etcd-0` leads; each member knows of all unless it says otherwise. */
export function cluster(members: readonly Changes[], facts: Partial<ClusterFacts> = {}): ClusterFacts {
  const ids = members.map(({ id }, index) => id ?? idOf(index));
  return {
    now,
    members: members.map((changes, index) => member(index, { knownMemberIds: ids, ...changes })),
    alarms: [],
    noQuorumBecause: undefined,
    newestBackupAt: undefined,
    ...facts,
  };
}

export const plain: DefragRequest = { forceRule: false, acceptUnsafeVersion: false, done: new Set() };

interface Situation extends Partial<DefragPolicy>, Partial<DefragRequest> {
  readonly facts?: Partial<ClusterFacts>;
}

export function plan(members: readonly Changes[], { facts = {}, ...changes }: Situation = {}): DefragPlan {
  return planDefrag({ ...defaults, ...changes }, cluster(members, facts), { ...plain, ...changes });
}

/** `etcd-1`, or `etcd-0 after a move to etcd-1`, in order. */
export function stepsOf({ steps }: Pick<DefragPlan, 'steps'>): string[] {
  return steps.map(({ member: { name }, moveLeaderTo }) =>
    moveLeaderTo === undefined ? name : `${name} after a move to ${moveLeaderTo.name}`,
  );
}

/** What is said of the member, as step or as skipped. */
export function wordsOn(index: number, { steps, skipped }: Pick<DefragPlan, 'steps' | 'skipped'>): string {
  const found = [...steps, ...skipped].find((one) => one.member.id === idOf(index));
  return found?.reasons.join('; ') ?? 'nothing';
}

export function verdictOf(found: DefragPlan): string {
  return found.verdict === 'go' ? 'go' : `${found.because}: ${found.explanation}`;
}
