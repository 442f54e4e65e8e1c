import { WardenError } from '../../src/errors/warden-error.ts';
import type { Alarm, KnownMember, MemberStatus } from '../../src/ports/etcd.ts';
import type { MemberMetricFacts, MemberMetrics } from '../../src/ports/member-metrics.ts';
import { healthyRevision, refuses, scriptedEtcd, type MemberScript, type ScriptedEtcd } from './scripted-etcd.ts';

export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

/** A member as it is now; a test changes it in the middle of a run. */
export interface LiveMember {
  readonly name: string;
  readonly id: bigint;
  isLearner: boolean;
  readonly isUnstarted: boolean;
  /** Why it answers nothing any more. */
  silent: WardenError | undefined;
  /** Why reads that need a majority do not go through it. */
  noRead: WardenError | undefined;
  status: Partial<MemberStatus>;
  metrics: Partial<MemberMetricFacts> | WardenError | 'off';
  /** What it takes the members for; undefined: those that there are. */
  knows: readonly KnownMember[] | undefined;
  /** Begun when the call arrives; by default the database is as small as it can be at once. */
  defragment: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
}

export interface LiveCluster {
  readonly etcd: ScriptedEtcd;
  readonly metrics: MemberMetrics;
  /** Called before the member list is given, with how often it was asked for, from 1. */
  onLook: (look: number) => void;
  readonly members: readonly LiveMember[];
  member(name: string): LiveMember;
  leader: string;
  alarms: Alarm[] | WardenError;
  /** What a transfer of leadership does; by default what is asked for. */
  moveLeader: (from: LiveMember, to: LiveMember) => Promise<void>;
  disarm: (alarm: Alarm) => Promise<void>;
  /** `defragment m2`, `moveLeader m1 2`, `disarm m1 2 NOSPACE`, in order. */
  readonly sent: () => string[];
}

export type MemberChanges = Partial<Omit<LiveMember, 'name' | 'id'>>;

/** `m1` leads; each member is fragmented by three quarters of 1 GiB, healthy and idle. */
export function liveCluster(changes: readonly MemberChanges[] = [{}, {}, {}]): LiveCluster {
  const members = changes.map((changed, index): LiveMember => {
    const live: LiveMember = {
      name: changed.isUnstarted === true ? '' : `m${index + 1}`,
      id: BigInt(index + 1),
      isLearner: false,
      isUnstarted: false,
      silent: undefined,
      noRead: undefined,
      metrics: {},
      knows: undefined,
      defragment: async () => shrink(live),
      ...changed,
      status: { dbSizeBytes: GiB, dbSizeInUseBytes: GiB / 4, dbSizeQuotaBytes: 8 * GiB, ...changed.status },
    };
    return live;
  });
  const find = (found: LiveMember | undefined): LiveMember => {
    if (found === undefined) throw new Error('there is no such member');
    return found;
  };
  const scripted = scriptedEtcd(members.map((member) => scriptOf(member, () => cluster)));
  let looks = 0;
  const cluster: LiveCluster = {
    members,
    onLook: () => undefined,
    member: (name) => find(members.find((member) => member.name === name)),
    leader: 'm1',
    alarms: [],
    moveLeader: async (_, to) => void (cluster.leader = to.name),
    disarm: async (alarm) => {
      if (Array.isArray(cluster.alarms)) {
        cluster.alarms = cluster.alarms.filter(
          ({ memberId, type }) => memberId !== alarm.memberId || type !== alarm.type,
        );
      }
    },
    etcd: {
      ...scripted,
      discover: (signal) => {
        cluster.onLook((looks += 1));
        return scripted.discover(signal);
      },
    },
    metrics: {
      read: async ({ id }, signal) => {
        signal.throwIfAborted();
        const { metrics, silent } = find(members.find((member) => member.id === id));
        if (metrics === 'off') return undefined;
        if (silent !== undefined) throw silent;
        if (metrics instanceof WardenError) throw metrics;
        return { ...idle, ...metrics };
      },
    },
    sent: () =>
      cluster.etcd.commands.map(({ member, call, request }) => [call, member, ...wordsOf(call, request)].join(' ')),
  };
  return cluster;
}

/** After every test, however its run ended. */
export function requireNothingOpen({ etcd }: Pick<LiveCluster, 'etcd'>): void {
  if (etcd.openClients() !== 0) throw new Error(`${etcd.openClients()} clients were never closed`);
}

/** What a defragmentation does. */
export function shrink(member: LiveMember): void {
  member.status = { ...member.status, dbSizeBytes: member.status.dbSizeInUseBytes ?? 0 };
}

/** Never settles by itself: the call of a member that works on and says nothing. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(refuses('interrupted', 'told to stop'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

const idle: MemberMetricFacts = {
  quotaBytes: 8 * GiB,
  openSnapshots: 0,
  raftSnapshotsInFlight: 0,
  openReadTransactions: 0,
  isDefragmenting: false,
};

function scriptOf(member: LiveMember, cluster: () => LiveCluster): MemberScript {
  const { name, id, isUnstarted } = member;
  const named = (wanted: bigint): LiveMember | undefined => cluster().members.find((one) => one.id === wanted);
  return {
    name,
    id,
    isLearner: member.isLearner,
    ...(isUnstarted && { endpoint: undefined }),
    status: () => {
      const leaderId = cluster().members.find((one) => one.name === cluster().leader)?.id ?? 0n;
      return member.silent ?? { leaderId, isLearner: member.isLearner, ...member.status };
    },
    readRevision: () => member.silent ?? member.noRead ?? healthyRevision,
    alarms: () => member.silent ?? cluster().alarms,
    memberList: () =>
      member.silent ??
      member.knows ??
      cluster().members.map((one) => ({ id: one.id, name: one.name, isLearner: one.isLearner })),
    defragment: async ({ timeoutMs }, signal) => {
      if (member.silent !== undefined) throw member.silent;
      await member.defragment(timeoutMs, signal);
    },
    moveLeader: async (targetId) => {
      const target = named(targetId);
      if (target !== undefined) await cluster().moveLeader(member, target);
    },
    disarm: (alarm) => cluster().disarm(alarm),
  };
}

function wordsOf(call: string, request: unknown): readonly unknown[] {
  if (call === 'defragment') return [];
  if (call === 'moveLeader') return [request];
  const { memberId, type } = request as Alarm;
  return [memberId, type];
}
