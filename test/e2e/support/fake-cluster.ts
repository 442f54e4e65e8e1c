import { AlarmRequest_AlarmAction, AlarmType } from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import { type FakeAnswers, fakeClusterId, type FakeEtcd, startFakeEtcd } from '../../support/fake-etcd.ts';

/** What a member says of itself. Changes take effect at once. */
export interface FakeMemberState {
  dbSizeBytes: number;
  inUseBytes: number;
  /** 0: it does not say, as before 3.6. */
  quotaBytes: number;
  version: string;
  /** Entries that it has yet to apply. */
  behind: number;
  /** The work of a defragmentation; by default the database is as large as what is in use, at once. */
  defragment: () => Promise<void>;
  /** Reads wait for it, as they do while a database is written anew. */
  serving: Promise<void>;
}

export interface FakeMember extends FakeMemberState {
  readonly id: bigint;
  readonly name: string;
  readonly server: FakeEtcd;
}

export type FakeAlarm = Readonly<{ memberID: bigint; alarm: AlarmType }>;

/** Members that agree about everything and keep what is put; the first one leads. */
export interface FakeCluster extends AsyncDisposable {
  readonly members: readonly FakeMember[];
  alarms: readonly FakeAlarm[];
  leader: FakeMember;
  /** The section `cluster` of a configuration. Nobody asks for metrics: there are none. */
  readonly section: object;
  /** Calls of these kinds, in the order in which the members got them. */
  calls(...names: readonly string[]): readonly { readonly member: string; readonly atMs: number }[];
}

const revision = 7n;
const raftTerm = 2n;
const raftIndex = 1_000_000n;

export async function startFakeCluster(states: readonly Partial<FakeMemberState>[]): Promise<FakeCluster> {
  await using stack = new AsyncDisposableStack();
  const members: FakeMember[] = [];
  const stored = new Map<string, { key: Uint8Array; value: Uint8Array }>();
  for (const [index, state] of states.entries()) {
    const id = 0xa1n + BigInt(index);
    const server = stack.use(await startFakeEtcd(answersOf(id)));
    const member: FakeMember = {
      id,
      name: `m${index + 1}`,
      server,
      version: '3.6.16',
      dbSizeBytes: 2 ** 30,
      inUseBytes: 2 ** 28,
      quotaBytes: 2 ** 33,
      behind: 0,
      serving: Promise.resolve(),
      defragment: () => {
        member.dbSizeBytes = member.inUseBytes;
        return Promise.resolve();
      },
      ...state,
    };
    members.push(member);
  }
  const [leader] = members;
  if (leader === undefined) throw new Error('a cluster without members');

  function answersOf(memberId: bigint): Partial<FakeAnswers> {
    const header = { clusterId: fakeClusterId, memberId, revision, raftTerm };
    const own = (): FakeMember => {
      const member = members.find(({ id }) => id === memberId);
      if (member === undefined) throw new Error('asked too early');
      return member;
    };
    return {
      memberList: () => ({
        header,
        members: members.map(({ id, name, server }) => ({ ID: id, name, clientURLs: [server.endpoint] })),
      }),
      status: () => {
        const { version, dbSizeBytes, inUseBytes, quotaBytes, behind } = own();
        return {
          header,
          version,
          leader: cluster.leader.id,
          raftTerm,
          raftIndex,
          dbSize: BigInt(dbSizeBytes),
          dbSizeInUse: BigInt(inUseBytes),
          dbSizeQuota: BigInt(quotaBytes),
          raftAppliedIndex: raftIndex - BigInt(behind),
        };
      },
      alarm: ({ action, memberID, alarm }) => {
        if (action === AlarmRequest_AlarmAction.DEACTIVATE) {
          cluster.alarms = cluster.alarms.filter((one) => one.memberID !== memberID || one.alarm !== alarm);
        }
        return { header, alarms: [...cluster.alarms] };
      },
      defragment: async () => {
        await own().defragment();
        return {};
      },
      moveLeader: ({ targetID }) => {
        cluster.leader = members.find(({ id }) => id === targetID) ?? cluster.leader;
        return {};
      },
      range: async ({ key, rangeEnd }) => {
        await own().serving;
        const isAsked = (one: Uint8Array) => Buffer.compare(one, key) >= 0 && Buffer.compare(one, rangeEnd) < 0;
        return { header, kvs: [...stored.values()].filter((entry) => isAsked(entry.key)) };
      },
      put: ({ key, value }) => {
        stored.set(Buffer.from(key).toString(), { key, value });
        return { header };
      },
    };
  }

  const kept = stack.move();
  const cluster: FakeCluster = {
    members,
    alarms: [],
    leader,
    section: { name: 'test', endpoints: members.map(({ server }) => server.endpoint), metrics: 'off' },
    calls: (...names) =>
      members
        .flatMap(({ name: member, server }) => server.calls.map(({ name, atMs }) => ({ member, name, atMs })))
        .filter(({ name }) => names.includes(name))
        .sort((a, b) => a.atMs - b.atMs),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
  return cluster;
}

export const nospaceOf = ({ id }: FakeMember): FakeAlarm => ({ memberID: id, alarm: AlarmType.NOSPACE });
export const corruptOf = ({ id }: FakeMember): FakeAlarm => ({ memberID: id, alarm: AlarmType.CORRUPT });
