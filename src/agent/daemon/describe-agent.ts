import type { ClusterFacts, MemberFacts, Quota } from '../../defrag/facts.ts';
import { byName } from '../../defrag/order.ts';
import { formatBytes } from '../../format.ts';
import { toolVersion } from '../../version.ts';
import type {
  AgentStatus,
  LookFault,
  MembersState,
  MemberState,
  RepositoryState,
  ScheduledJob,
} from '../agent-status.ts';
import { judgeSafety } from './judge-safety.ts';
import type { Knowledge, LookFailure } from './knowledge.ts';
import { isOutdated } from './outdated.ts';

export interface AgentFacts {
  readonly cluster: string;
  readonly startedAt: Date;
  readonly now: Date;
  readonly schedule: readonly ScheduledJob[];
  /** Longest time between two backups by the schedule; undefined where none is scheduled. */
  readonly backupIntervalSeconds: number | undefined;
  readonly verifyIntervalSeconds: number | undefined;
  readonly repositories: readonly string[];
  /** How far looks lie apart. */
  readonly lookIntervalMs: { readonly repositories: number; readonly members: number };
}

/** Everything that is known, as one document. */
export function describeAgent(facts: AgentFacts, knowledge: Knowledge): AgentStatus {
  const { cluster, startedAt, now, schedule } = facts;
  const repositories = facts.repositories.map((name) => toRepository(name, facts, knowledge));
  const members = toMembers(facts, knowledge);
  const { verdict, problems } = judgeSafety({
    now,
    repositories,
    members,
    noQuorumBecause: knowledge.members?.facts.noQuorumBecause,
    refusedReload: knowledge.refusedReload,
    failures: knowledge.failures,
    startedAt,
    verifiedAgeLimitSeconds: verifiedAgeLimit(facts),
    nextBackupAt: schedule.find(({ job }) => job === 'backup')?.nextAt,
  });
  const events = [
    ...knowledge.events,
    ...[...knowledge.repositories.values()].flatMap(({ summary }) => summary?.events ?? []),
  ];
  return {
    cluster,
    version: toolVersion,
    startedAt,
    now,
    verdict,
    problems,
    repositories,
    members,
    events: events.sort((one, other) => other.at.getTime() - one.at.getTime()),
    running: knowledge.running,
    schedule: schedule.toSorted((one, other) => one.nextAt.getTime() - other.nextAt.getTime()),
    lastErrors: knowledge.failures,
    refusedReload: knowledge.refusedReload,
  };
}

/** The rule of the alert EtcdBackupNotVerified: two rounds of both. */
function verifiedAgeLimit({ backupIntervalSeconds = 0, verifyIntervalSeconds }: AgentFacts): number | undefined {
  return verifyIntervalSeconds === undefined ? undefined : 2 * (backupIntervalSeconds + verifyIntervalSeconds);
}

function toRepository(
  name: string,
  { backupIntervalSeconds, lookIntervalMs, now }: AgentFacts,
  knowledge: Knowledge,
): RepositoryState {
  const known = knowledge.repositories.get(name);
  const summary = known?.summary;
  return {
    name,
    location: known?.location ?? '',
    listedAt: summary?.facts.listedAt,
    error: toFault(known?.failure),
    isOutdated: isOutdated(summary?.facts.listedAt, lookIntervalMs.repositories, now),
    newest: summary?.newest,
    newestVerified: summary?.newestVerified,
    newestDrilled: summary?.newestDrilled,
    expectedAgeSeconds: backupIntervalSeconds,
    backups: summary?.facts.backups ?? { complete: 0, incomplete: 0, damaged: 0, held: 0 },
    storedBytes: summary?.facts.storedBytes ?? 0,
  };
}

function toMembers({ lookIntervalMs, now }: AgentFacts, { members, membersFailure }: Knowledge): MembersState {
  const facts = members?.facts;
  return {
    seenAt: members?.seenAt,
    error: toFault(membersFailure),
    isOutdated: isOutdated(members?.seenAt, lookIntervalMs.members, now),
    members: facts?.members.toSorted(byName).map((member) => toMember(member, facts)) ?? [],
  };
}

function toMember(member: MemberFacts, { alarms }: ClusterFacts): MemberState {
  const { id, name, answer, quota, unreachableBecause, cutOffBecause } = member;
  return {
    name,
    role: roleOf(member),
    version: answer?.version,
    dbSizeBytes: answer?.dbSizeBytes,
    inUseBytes: answer?.inUseBytes,
    quotaBytes: quota.kind === 'limited' ? quota.bytes : undefined,
    quotaText: describeQuota(quota),
    alarms: alarms.filter(({ memberId }) => memberId === id).map(({ type }) => type),
    trouble: unreachableBecause ?? cutOffBecause,
  };
}

function roleOf({ id, answer, isLearner, isUnstarted }: MemberFacts): MemberState['role'] {
  if (isUnstarted) return 'unstarted';
  if (answer === undefined) return 'unreachable';
  if (isLearner) return 'learner';
  return id !== 0n && answer.leaderId === id ? 'leader' : 'follower';
}

function describeQuota(quota: Quota): string {
  switch (quota.kind) {
    case 'limited':
      return `${formatBytes(quota.bytes)} (${quota.source})`;
    case 'unlimited':
      return 'unlimited';
    case 'unknown':
      return `not known: ${quota.reason}`;
  }
}

function toFault(failure: LookFailure | undefined): LookFault | undefined {
  if (failure === undefined) return undefined;
  const { code, message, hint } = failure.error;
  return { code, message, hint, since: failure.since };
}
