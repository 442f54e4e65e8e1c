import { describeHarm } from '../defrag/etcd-version.ts';
import type { ClusterFacts, MemberFacts } from '../defrag/facts.ts';
import { byName } from '../defrag/order.ts';
import { hasAnswered, isCaughtUp, lagOf } from '../defrag/voters.ts';
import type { ClusterStatus, RepositoryStatus } from '../jobs/status.ts';
import { formatAge, formatBytes, formatTime } from '../format.ts';
import type { Result } from './output.ts';
import { formatTable } from './table.ts';

interface StatusOptions {
  /** As `defrag.maxRaftLag`: members are asked one after the other, so an entry or two tell of nothing. */
  readonly maxRaftLag: number;
  /** undefined: nobody looked. */
  readonly repositories?: readonly RepositoryStatus[] | undefined;
}

/** The members as a table and as data, and the newest backup in each repository. */
export function describeStatus(
  { clusterId, facts }: ClusterStatus,
  { maxRaftLag, repositories }: StatusOptions,
): Result {
  const { now, alarms, noQuorumBecause } = facts;
  const members = facts.members.toSorted(byName);
  return {
    json: {
      clusterId: clusterId.toString(16),
      time: formatTime(now),
      hasQuorum: noQuorumBecause === undefined,
      noQuorumBecause: noQuorumBecause ?? null,
      alarms: alarms.map(({ memberId, type }) => ({
        member: nameOf(memberId, members),
        id: memberId.toString(16),
        type,
      })),
      members: members.map((member) => toJson(member, facts)),
      repositories: repositories?.map(repositoryToJson) ?? null,
    },
    lines: [
      `cluster ${clusterId.toString(16)} at ${formatTime(now)}`,
      ...formatTable(members, [
        { title: 'MEMBER', value: ({ name }) => name },
        { title: 'ROLE', value: describeRole },
        { title: 'VERSION', value: ({ answer }) => answer?.version ?? '-' },
        { title: 'SIZE', align: 'right', value: (member) => sizeOf(member, 'dbSizeBytes') },
        { title: 'IN USE', align: 'right', value: (member) => sizeOf(member, 'inUseBytes') },
        { title: 'RECLAIMABLE', align: 'right', value: describeReclaimable },
        { title: 'QUOTA', align: 'right', value: describeQuota },
        { title: 'USAGE', align: 'right', value: describeUsage },
        { title: 'RAFT', value: (member) => describeLag(member, facts, maxRaftLag) },
        { title: 'DOING', value: describeActivity },
      ]).map(indent),
      ...members.flatMap((member) => describeTrouble(member, now)).map(indent),
      ...(noQuorumBecause === undefined ? [] : [`NO QUORUM: ${noQuorumBecause}`]),
      ...(alarms.length === 0
        ? // Without quorum nobody can tell.
          noQuorumBecause === undefined
          ? ['no alarms']
          : []
        : [`ALARMS: ${alarms.map(({ memberId, type }) => `${type} of ${nameOf(memberId, members)}`).join(', ')}`]),
      ...(repositories === undefined ? [] : ['newest backups', ...repositoriesToLines(repositories, now).map(indent)]),
    ],
  };
}

const indent = (line: string): string => `  ${line}`;

function toJson(member: MemberFacts, facts: ClusterFacts): object {
  const { id, name, answer, quota, activity, lastDefrag, unreachableBecause, cutOffBecause } = member;
  return {
    id: id.toString(16),
    name,
    role: roleOf(member),
    isReachable: answer !== undefined,
    unreachableBecause: unreachableBecause ?? null,
    cutOffBecause: cutOffBecause ?? null,
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
    raftLag: hasAnswered(member) ? Number(lagOf(member, facts)) : null,
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

function describeRole(member: MemberFacts): string {
  return member.answer?.leaderId === 0n && !member.isLearner ? 'no leader' : roleOf(member);
}

function sizeOf({ answer }: MemberFacts, size: 'dbSizeBytes' | 'inUseBytes'): string {
  return answer === undefined ? '-' : formatBytes(answer[size]);
}

function describeReclaimable({ answer }: MemberFacts): string {
  if (answer === undefined || answer.dbSizeBytes === 0) return '-';
  const bytes = reclaimable(answer);
  return `${formatBytes(bytes)} (${Math.floor((bytes / answer.dbSizeBytes) * 100)}%)`;
}

function describeQuota({ answer, quota }: MemberFacts): string {
  if (answer === undefined) return '-';
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

function describeLag(member: MemberFacts, facts: ClusterFacts, maxRaftLag: number): string {
  if (!hasAnswered(member)) return '-';
  return isCaughtUp(member, facts, { maxRaftLag }) ? 'caught up' : `${lagOf(member, facts)} behind`;
}

function describeActivity({ answer, activity }: MemberFacts): string {
  if (answer === undefined && activity.kind !== 'seen') return '-';
  if (activity.kind !== 'seen') return activity.kind === 'unknown' ? 'unknown' : 'not asked';
  const { openSnapshots, raftSnapshotsInFlight, isDefragmenting } = activity;
  const doing = [
    ...(isDefragmenting ? ['defragmenting'] : []),
    ...(openSnapshots > 0 ? [`${openSnapshots} snapshot${openSnapshots === 1 ? '' : 's'}`] : []),
    ...(raftSnapshotsInFlight > 0 ? ['sending a raft snapshot'] : []),
  ];
  return doing.length === 0 ? '-' : doing.join(', ');
}

function describeTrouble(member: MemberFacts, now: Date): string[] {
  const { name, unreachableBecause, cutOffBecause, quota, activity, answer, lastDefrag } = member;
  if (unreachableBecause !== undefined) return [`${name}: ${unreachableBecause}`];
  if (answer === undefined) return [];
  const harm = describeHarm(answer.version);
  const failures = lastDefrag?.failures ?? 0;
  return [
    ...(cutOffBecause === undefined ? [] : [`${name}: no read that needs a majority: ${cutOffBecause}`]),
    ...(harm === undefined ? [] : [`${name}: etcd ${answer.version} ${harm}`]),
    ...(quota.kind === 'unknown' ? [`${name}: its quota is unknown (${quota.reason}); cluster.quota gives it`] : []),
    ...(activity.kind === 'unknown' ? [`${name}: what it does is unknown (${activity.reason})`] : []),
    ...(lastDefrag === undefined || failures === 0
      ? []
      : [
          `${name}: ${failures === 1 ? 'the last defragmentation' : `the last ${failures} defragmentations`} did not end well, ${formatAge(lastDefrag.at, now)} ago`,
        ]),
  ];
}

function repositoriesToLines(repositories: readonly RepositoryStatus[], now: Date): string[] {
  return formatTable(repositories, [
    { title: 'REPOSITORY', value: ({ name }) => name },
    { title: 'AGE', align: 'right', value: ({ newest }) => (newest === undefined ? '-' : formatAge(newest.time, now)) },
    { title: 'READ BACK', value: ({ newest }) => describeReadBack(newest, now) },
    { title: 'BACKUP', value: ({ newest, error }) => error?.message ?? newest?.id ?? 'none' },
  ]);
}

function describeReadBack(newest: RepositoryStatus['newest'], now: Date): string {
  if (newest === undefined) return '-';
  return newest.verifiedAt === undefined ? 'never' : `${formatAge(newest.verifiedAt, now)} ago`;
}

function repositoryToJson({ name, newest, error }: RepositoryStatus): object {
  return {
    name,
    newest:
      newest === undefined
        ? null
        : {
            id: newest.id,
            time: formatTime(newest.time),
            verifiedAt: newest.verifiedAt === undefined ? null : formatTime(newest.verifiedAt),
          },
    error: error === undefined ? null : { code: error.code, message: error.message },
  };
}

function nameOf(id: bigint, members: readonly MemberFacts[]): string {
  return members.find((member) => member.id === id)?.name ?? id.toString(16);
}
