import type { Activity, ClusterFacts, MemberAnswer, MemberFacts } from '../defrag/facts.ts';
import { isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecord } from '../ports/defrag-records.ts';
import type { Alarm, Etcd, EtcdMember, KnownMember, Member, MemberStatus } from '../ports/etcd.ts';
import type { MemberMetricFacts, MemberMetrics } from '../ports/member-metrics.ts';
import { readQuota } from './quota.ts';

export interface LookParts {
  readonly etcd: Etcd;
  readonly metrics: MemberMetrics;
  readonly clock: Clock;
}

export interface LookOptions {
  /** For every member; undefined: they are asked. */
  readonly quotaBytes: number | undefined;
  readonly records: ReadonlyMap<bigint, DefragRecord>;
  /** When the newest usable backup was taken; not given: nobody needs to know. */
  readonly findNewestBackup?: (clusterId: bigint, signal: AbortSignal) => Promise<Date | undefined>;
}

/** The cluster at one moment, with an open client for each member that was started. */
export interface ClusterLook extends AsyncDisposable {
  readonly clusterId: bigint;
  readonly facts: ClusterFacts;
  /** The client of one of the members in `facts`. */
  clientOf(member: MemberFacts): EtcdMember;
}

/** Asks every member everything at once. Rejects if member list or newest backup cannot be had, or when interrupted. */
export async function lookAtCluster(parts: LookParts, options: LookOptions, signal: AbortSignal): Promise<ClusterLook> {
  const view = await parts.etcd.discover(signal);
  await using stack = new AsyncDisposableStack();
  const clients = view.members
    .filter((member) => member.endpoint !== undefined)
    .map((member) => stack.use(parts.etcd.connect(member)));
  const [looks, alarms] = await Promise.all([
    Promise.all(clients.map((client) => lookAtMember(client, parts.metrics, signal))),
    readAlarms(clients, signal),
  ]);
  signal.throwIfAborted();
  const clusterId = view.clusterId === 0n ? clusterIdOf(looks) : view.clusterId;
  const newestBackupAt = await options.findNewestBackup?.(clusterId, signal);
  const unstarted = view.members.filter((member) => member.endpoint === undefined);
  const members = [
    ...looks.map((look) => toFacts(look, options)),
    ...unstarted.map((member) => ({ ...emptyFacts(member), isUnstarted: true })),
  ];
  const byFacts = new Map(
    looks.map((look, index) => [members[index], identified(look, parts.etcd, (client) => stack.use(client))]),
  );
  const noQuorumBecause = findNoQuorum(looks) ?? (typeof alarms === 'string' ? alarms : undefined);
  const raised = typeof alarms === 'string' ? [] : alarms;
  const kept = stack.move();
  return {
    clusterId,
    facts: { now: parts.clock.now(), members, alarms: raised, noQuorumBecause, newestBackupAt },
    clientOf: (member) => {
      const client = byFacts.get(member);
      if (client === undefined) throw new WardenError('internal', `member ${member.name} is not of this look`);
      return client;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

interface MemberLook {
  readonly client: EtcdMember;
  readonly status: MemberStatus | WardenError;
  readonly known: readonly KnownMember[] | WardenError;
  /** undefined: the configuration says not to ask. */
  readonly metrics: MemberMetricFacts | WardenError | undefined;
  /** Why no linearizable read went through it; undefined where one did, and of learners, which refuse them. */
  readonly noRead: WardenError | undefined;
}

async function lookAtMember(client: EtcdMember, metrics: MemberMetrics, signal: AbortSignal): Promise<MemberLook> {
  const asError = (thrown: unknown): WardenError => toWardenError(thrown);
  const { member } = client;
  const asked = client.status(signal).catch(asError);
  // With static discovery only the status tells whose metrics they ought to be.
  const whose =
    member.id !== 0n
      ? member
      : asked.then((status) => (status instanceof WardenError ? member : { ...member, id: status.memberId }));
  const [status, known, told, noRead] = await Promise.all([
    asked,
    client.memberList(signal).catch(asError),
    Promise.resolve(whose)
      .then((named) => metrics.read(named, signal))
      .catch(asError),
    member.isLearner ? undefined : client.readRevision(signal).then(() => undefined, asError),
  ]);
  return { client, status, known, metrics: told, noRead };
}

function toFacts({ client, status, known, metrics, noRead }: MemberLook, options: LookOptions): MemberFacts {
  const empty = emptyFacts(client.member);
  const activity = toActivity(metrics);
  if (status instanceof WardenError) return { ...empty, activity, unreachableBecause: status.message };
  const isLearner = status.isLearner || client.member.isLearner;
  // Learners refuse to list the members; what they know decides nothing.
  if (known instanceof WardenError && !isLearner) return { ...empty, activity, unreachableBecause: known.message };
  const id = status.memberId;
  const told = metrics instanceof WardenError ? undefined : metrics;
  const why = metrics instanceof WardenError ? metrics.message : 'neither status nor metrics tell it';
  return {
    ...empty,
    id,
    isLearner,
    answer: toAnswer(status, known instanceof WardenError ? undefined : known),
    ...(noRead === undefined || status.isLearner ? {} : { cutOffBecause: noRead.message }),
    quota: readQuota(options.quotaBytes, status.dbSizeQuotaBytes, told?.quotaBytes, why),
    activity,
    lastDefrag: options.records.get(id),
  };
}

function toAnswer(status: MemberStatus, known: readonly KnownMember[] | undefined): MemberAnswer {
  const { version, leaderId, raftTerm, raftIndex, raftAppliedIndex, dbSizeBytes, dbSizeInUseBytes } = status;
  return {
    version,
    leaderId,
    raftTerm,
    raftIndex,
    raftAppliedIndex,
    dbSizeBytes,
    inUseBytes: dbSizeInUseBytes,
    knownMemberIds: known?.map(({ id }) => id),
  };
}

function toActivity(metrics: MemberLook['metrics']): Activity {
  if (metrics === undefined) return { kind: 'not-asked' };
  if (metrics instanceof WardenError) return { kind: 'unknown', reason: metrics.message };
  const { openSnapshots, raftSnapshotsInFlight, isDefragmenting } = metrics;
  if (openSnapshots === undefined) return { kind: 'unknown', reason: 'its metrics do not tell of snapshot streams' };
  if (isDefragmenting === undefined) return { kind: 'unknown', reason: 'its metrics do not tell of defragmentations' };
  return {
    kind: 'seen',
    openSnapshots,
    raftSnapshotsInFlight: raftSnapshotsInFlight ?? 0,
    isDefragmenting,
  };
}

/** A member of which nothing is known but its line in the member list. */
function emptyFacts(member: Member): MemberFacts {
  return {
    id: member.id,
    name: member.name === '' ? member.id.toString(16) : member.name,
    isLearner: member.isLearner,
    isUnstarted: false,
    answer: undefined,
    unreachableBecause: undefined,
    quota: { kind: 'unknown', reason: 'the member did not answer' },
    activity: { kind: 'unknown', reason: 'the member did not answer' },
    lastDefrag: undefined,
  };
}

/** With static discovery a URL stands for a member until it has said who it is; from then on nobody else may answer there. */
function identified({ client, status }: MemberLook, etcd: Etcd, keep: (client: EtcdMember) => EtcdMember): EtcdMember {
  if (client.member.id !== 0n || status instanceof WardenError) return client;
  return keep(etcd.connect({ ...client.member, id: status.memberId }));
}

/** 0n where no member answered. */
function clusterIdOf(looks: readonly MemberLook[]): bigint {
  for (const { status } of looks) if (!(status instanceof WardenError)) return status.clusterId;
  return 0n;
}

/** The question goes through the log like a write, so any answer is the cluster's. Unanswered, CORRUPT may be raised. */
async function readAlarms(clients: readonly EtcdMember[], signal: AbortSignal): Promise<readonly Alarm[] | string> {
  try {
    return await Promise.any(clients.map((client) => client.alarms(signal)));
  } catch (error) {
    return `the alarms are not known: ${firstMessage(error) ?? 'no member was started'}`;
  }
}

/** Why no linearizable read went through any voter; undefined where one did. */
function findNoQuorum(looks: readonly MemberLook[]): string | undefined {
  const failures = looks.filter(({ client }) => !client.member.isLearner).map(({ noRead }) => noRead);
  if (failures.includes(undefined)) return undefined;
  return firstMessage(new AggregateError(failures)) ?? 'no voter is known';
}

/** Of one of those that were asked at once: one that answers knows more than one that is away. */
function firstMessage(error: unknown): string | undefined {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  const told = errors.find((one) => !isWardenError(one, 'etcd-unreachable')) ?? errors[0];
  return told === undefined ? undefined : toWardenError(told).message;
}
