import type { ClusterFacts, MemberFacts } from '../defrag/facts.ts';
import type { ClusterStatus } from '../jobs/status.ts';
import { formatBytes, formatTime } from './format.ts';
import type { Result } from './output.ts';
import { formatTable } from './table.ts';

/** The members as a table and as data. */
export function describeStatus({ clusterId, facts }: ClusterStatus): Result {
  const { members, alarms, noQuorumBecause } = facts;
  const highest = highestIndex(facts);
  return {
    json: {
      clusterId: clusterId.toString(16),
      time: formatTime(facts.now),
      hasQuorum: noQuorumBecause === undefined,
      noQuorumBecause: noQuorumBecause ?? null,
      alarms: alarms.map(({ memberId, type }) => ({
        member: nameOf(memberId, members),
        id: memberId.toString(16),
        type,
      })),
      members: members.map((member) => toJson(member, highest)),
    },
    lines: [
      `cluster ${clusterId.toString(16)}`,
      ...formatTable(members, [
        { title: 'MEMBER', value: ({ name }) => name },
        { title: 'ROLE', value: roleOf },
        { title: 'VERSION', value: ({ answer }) => answer?.version ?? '-' },
        {
          title: 'SIZE',
          align: 'right',
          value: ({ answer }) => (answer === undefined ? '-' : formatBytes(answer.dbSizeBytes)),
        },
        {
          title: 'IN USE',
          align: 'right',
          value: ({ answer }) => (answer === undefined ? '-' : formatBytes(answer.inUseBytes)),
        },
        { title: 'RECLAIMABLE', align: 'right', value: describeReclaimable },
        { title: 'QUOTA', align: 'right', value: describeQuota },
        { title: 'USAGE', align: 'right', value: describeUsage },
        { title: 'RAFT', align: 'right', value: (member) => describeLag(member, highest) },
        { title: 'DOING', value: describeActivity },
      ]).map((line) => `  ${line}`),
      ...members.flatMap(describeTrouble).map((line) => `  ${line}`),
      ...(noQuorumBecause === undefined ? [] : [`no quorum: ${noQuorumBecause}`]),
      alarms.length === 0
        ? 'no alarms'
        : `ALARMS: ${alarms.map(({ memberId, type }) => `${type} of ${nameOf(memberId, members)}`).join(', ')}`,
    ],
  };
}

function toJson(member: MemberFacts, highest: bigint): object {
  const { id, name, answer, quota, activity, lastDefrag, unreachableBecause } = member;
  return {
    id: id.toString(16),
    name,
    role: roleOf(member),
    isReachable: answer !== undefined,
    unreachableBecause: unreachableBecause ?? null,
    version: answer?.version ?? null,
    dbSizeBytes: answer?.dbSizeBytes ?? null,
    inUseBytes: answer?.inUseBytes ?? null,
    reclaimableBytes: answer === undefined ? null : reclaimable(answer),
    quota: quota.kind === 'limited' ? { bytes: quota.bytes, source: quota.source } : quota,
    usage: usageOf(member) ?? null,
    leader: answer === undefined || answer.leaderId === 0n ? null : answer.leaderId.toString(16),
    raftTerm: answer?.raftTerm.toString() ?? null,
    raftIndex: answer?.raftIndex.toString() ?? null,
    raftAppliedIndex: answer?.raftAppliedIndex.toString() ?? null,
    raftLag: answer === undefined ? null : Number(highest - answer.raftAppliedIndex),
    activity,
    lastDefrag:
      lastDefrag === undefined
        ? null
        : {
            at: formatTime(lastDefrag.at),
            beforeBytes: lastDefrag.beforeBytes,
            afterBytes: lastDefrag.afterBytes ?? null,
            failures: lastDefrag.failures,
          },
  };
}

type Answer = NonNullable<MemberFacts['answer']>;

const reclaimable = ({ dbSizeBytes, inUseBytes }: Answer): number => Math.max(0, dbSizeBytes - inUseBytes);

function roleOf({ id, answer, isLearner, isUnstarted }: MemberFacts): string {
  if (isUnstarted) return 'not started';
  if (isLearner) return 'learner';
  if (answer === undefined) return 'unknown';
  return answer.leaderId === id && id !== 0n ? 'leader' : 'follower';
}

function describeReclaimable({ answer }: MemberFacts): string {
  if (answer === undefined || answer.dbSizeBytes === 0) return '-';
  const bytes = reclaimable(answer);
  return `${formatBytes(bytes)} (${Math.floor((bytes / answer.dbSizeBytes) * 100)}%)`;
}

function describeQuota({ quota }: MemberFacts): string {
  if (quota.kind === 'unknown') return 'unknown';
  return quota.kind === 'unlimited' ? 'none' : formatBytes(quota.bytes);
}

function describeUsage(member: MemberFacts): string {
  const usage = usageOf(member);
  return usage === undefined ? '-' : `${Math.floor(usage * 100)}%`;
}

function usageOf({ answer, quota }: MemberFacts): number | undefined {
  return answer === undefined || quota.kind !== 'limited' ? undefined : answer.dbSizeBytes / quota.bytes;
}

function describeLag({ answer }: MemberFacts, highest: bigint): string {
  if (answer === undefined) return '-';
  const lag = highest - answer.raftAppliedIndex;
  return lag <= 0n ? `${answer.raftAppliedIndex}` : `${answer.raftAppliedIndex} (-${lag})`;
}

function describeActivity({ activity }: MemberFacts): string {
  if (activity.kind !== 'seen') return activity.kind === 'unknown' ? 'unknown' : 'not asked';
  const { openSnapshots, raftSnapshotsInFlight, isDefragmenting } = activity;
  const doing = [
    ...(isDefragmenting ? ['defragmenting'] : []),
    ...(openSnapshots > 0 ? [`${openSnapshots} snapshot${openSnapshots === 1 ? '' : 's'}`] : []),
    ...(raftSnapshotsInFlight > 0 ? ['sending a raft snapshot'] : []),
  ];
  return doing.length === 0 ? '-' : doing.join(', ');
}

function describeTrouble({ name, unreachableBecause, quota, activity, answer }: MemberFacts): string[] {
  if (unreachableBecause !== undefined) return [`${name}: ${unreachableBecause}`];
  if (answer === undefined) return [];
  return [
    ...(quota.kind === 'unknown' ? [`${name}: its quota is unknown (${quota.reason}); cluster.quota gives it`] : []),
    ...(activity.kind === 'unknown' ? [`${name}: ${activity.reason}`] : []),
  ];
}

function nameOf(id: bigint, members: readonly MemberFacts[]): string {
  return members.find((member) => member.id === id)?.name ?? id.toString(16);
}

function highestIndex({ members }: ClusterFacts): bigint {
  return members.reduce((highest, { answer }) => {
    const index = answer?.raftAppliedIndex ?? 0n;
    return index > highest ? index : highest;
  }, 0n);
}
