import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemberFacts } from '../../src/defrag/facts.ts';
import { lookAtCluster, type LookOptions } from '../../src/members/look.ts';
import type { MemberMetrics } from '../../src/ports/member-metrics.ts';
import {
  GiB,
  liveCluster,
  requireNothingOpen,
  untilAborted,
  type LiveCluster,
  type MemberChanges,
} from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { clusterId, refuses, scriptedEtcd, type MemberScript, type ScriptedEtcd } from '../support/scripted-etcd.ts';

const now = new Date('2026-11-25T12:00Z');
const clock = { now: () => now, monotonicMs: () => 0 };
const plain: LookOptions = { quotaBytes: undefined, records: new Map() };

describe('A look at a cluster', () => {
  let stop: AbortController;
  let etcds: ScriptedEtcd[];

  beforeEach(() => {
    stop = new AbortController();
    etcds = [];
  });

  afterEach(() => {
    for (const etcd of etcds) requireNothingOpen({ etcd });
  });

  async function factsOf({ etcd, metrics }: Pick<LiveCluster, 'etcd' | 'metrics'>, options: Partial<LookOptions> = {}) {
    etcds.push(etcd);
    await using look = await lookAtCluster({ etcd, metrics, clock }, { ...plain, ...options }, stop.signal);
    return { ...look.facts, clusterId: look.clusterId };
  }
  const memberOf = async (
    changes: MemberChanges,
    options: Partial<LookOptions> = {},
  ): Promise<MemberFacts | undefined> => (await factsOf(liveCluster([{}, changes]), options)).members[1];
  const off: MemberMetrics = { read: async () => undefined };
  const scripted = (...members: MemberScript[]) => ({ etcd: scriptedEtcd(members), metrics: off });

  it('tells of every member what it answers', async () => {
    const facts = await factsOf(liveCluster());
    expect(facts).toMatchObject({ clusterId, now, alarms: [], noQuorumBecause: undefined, newestBackupAt: undefined });
    expect(facts.members.map(({ name, isLearner, isUnstarted }) => [name, isLearner, isUnstarted])).toEqual([
      ['m1', false, false],
      ['m2', false, false],
      ['m3', false, false],
    ]);
    expect(facts.members[0]).toMatchObject({
      id: 1n,
      answer: { version: '3.6.16', leaderId: 1n, dbSizeBytes: GiB, inUseBytes: GiB / 4, knownMemberIds: [1n, 2n, 3n] },
      quota: { kind: 'limited', bytes: 8 * GiB, source: 'status' },
      activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: false },
    });
  });

  // BC-24
  it('says why a member did not answer, and what is known of it all the same', async () => {
    const silent = refuses('etcd-tls-name-mismatch', 'https://0.0.0.0:2379 is not in its certificate');
    expect(await memberOf({ silent })).toMatchObject({
      id: 2n,
      name: 'm2',
      answer: undefined,
      unreachableBecause: silent.message,
      quota: { kind: 'unknown' },
      activity: { kind: 'unknown', reason: silent.message },
    });
  });

  // field: F060
  it('lists a member that was never started by its id, and dials it nowhere', async () => {
    expect(await memberOf({ isUnstarted: true })).toMatchObject({
      id: 2n,
      name: '2',
      isUnstarted: true,
      answer: undefined,
      unreachableBecause: undefined,
    });
  });

  // field: F058
  // BC-25
  it('takes for a learner who says so itself, whatever the list says', async () => {
    const { members } = await factsOf(scripted({}, { status: { isLearner: true } }, { isLearner: true }));
    expect(members.map(({ isLearner }) => isLearner)).toEqual([false, true, true]);
  });

  it('learns ids and cluster from the members where the configuration lists endpoints only', async () => {
    const { etcd, metrics } = scripted(
      { id: 0n, status: { memberId: 7n } },
      { id: 0n, status: refuses('etcd-deadline') },
    );
    const view = { clusterId: 0n, members: (await etcd.discover(stop.signal)).members, skipped: [] };
    const facts = await factsOf({ etcd: { ...etcd, discover: async () => view }, metrics });
    expect(facts.clusterId).toBe(clusterId);
    expect(facts.members.map(({ id }) => id)).toEqual([7n, 0n]);
  });

  // BC-12
  it('tells apart what members know of each other', async () => {
    const { members } = await factsOf(
      liveCluster([{ knows: [{ id: 1n, name: 'm1', isLearner: false }] }, { knows: [] }, {}]),
    );
    expect(members.map(({ answer }) => answer?.knownMemberIds)).toEqual([[1n], [], [1n, 2n, 3n]]);
    const script = { memberList: refuses('etcd-permission-denied') };
    expect((await factsOf(scripted(script))).members[0]?.answer?.knownMemberIds).toBeUndefined();
  });

  it('does not ask for what the configuration turned off', async () => {
    expect(await memberOf({ metrics: 'off', status: { dbSizeQuotaBytes: undefined } })).toMatchObject({
      activity: { kind: 'not-asked' },
      quota: { kind: 'unknown', reason: 'neither status nor metrics tell it' },
    });
  });

  it('knows nothing of what a member does whose metrics fail', async () => {
    const metrics = refuses('etcd-unreachable', 'no metrics there');
    expect(await memberOf({ metrics, status: { dbSizeQuotaBytes: undefined } })).toMatchObject({
      answer: { dbSizeBytes: GiB },
      activity: { kind: 'unknown', reason: 'no metrics there' },
      quota: { kind: 'unknown', reason: 'no metrics there' },
    });
  });

  it('sees what a member is doing', async () => {
    const metrics = { openSnapshots: 2, raftSnapshotsInFlight: 1, isDefragmenting: true };
    expect(await memberOf({ metrics })).toMatchObject({ activity: { kind: 'seen', ...metrics } });
    const [noStreams, noDefrag] = [{ openSnapshots: undefined }, { isDefragmenting: undefined }];
    expect(await memberOf({ metrics: noStreams })).toMatchObject({ activity: { kind: 'unknown' } });
    expect(await memberOf({ metrics: noDefrag })).toMatchObject({ activity: { kind: 'unknown' } });
    const noRaft = { raftSnapshotsInFlight: undefined };
    expect(await memberOf({ metrics: noRaft })).toMatchObject({ activity: { kind: 'seen', raftSnapshotsInFlight: 0 } });
  });

  // field: F082
  it('takes the quota of the metrics where the status of an older release has none', async () => {
    const member = { status: { dbSizeQuotaBytes: undefined }, metrics: { quotaBytes: 4 * GiB } };
    expect(await memberOf(member)).toMatchObject({ quota: { bytes: 4 * GiB, source: 'metrics' } });
    expect(await memberOf(member, { quotaBytes: GiB })).toMatchObject({
      quota: { bytes: GiB, source: 'configuration' },
    });
  });

  it('remembers of each member its last defragmentation', async () => {
    const record = { at: now, beforeBytes: 5, afterBytes: undefined, durationMs: 1, failures: 2 };
    expect(await memberOf({}, { records: new Map([[2n, record]]) })).toMatchObject({ lastDefrag: { failures: 2 } });
    expect(await memberOf({}, { records: new Map([[3n, record]]) })).toMatchObject({ lastDefrag: undefined });
  });

  // BC-12
  it('sees a majority in one linearizable read that goes through, and none where all fail', async () => {
    const noRead = refuses('etcd-deadline', 'no majority');
    expect((await factsOf(liveCluster([{ noRead }, {}, { noRead }]))).noQuorumBecause).toBeUndefined();
    expect((await factsOf(liveCluster([{ noRead }, { noRead }]))).noQuorumBecause).toBe('no majority');
    const silent = refuses('etcd-unreachable', 'connection refused');
    expect((await factsOf(liveCluster([{ silent }, { noRead }]))).noQuorumBecause).toBe('no majority');
    expect((await factsOf(liveCluster([{ isUnstarted: true }]))).noQuorumBecause).toBe('no voter is known');
  });

  // BC-12
  it('takes alarms from whichever member answers, and trusts nothing where none does', async () => {
    const alarm = { memberId: 2n, type: 'CORRUPT' } as const;
    const found = await factsOf(scripted({ alarms: refuses('etcd-deadline') }, { alarms: [alarm] }));
    expect([found.alarms, found.noQuorumBecause]).toEqual([[alarm], undefined]);
    const blind = await factsOf(scripted({ alarms: refuses('etcd-deadline', 'too slow') }));
    expect([blind.alarms, blind.noQuorumBecause]).toEqual([[], 'the alarms are not known: too slow']);
  });

  it('asks for the newest backup only where somebody needs it, and hands on why it cannot be had', async () => {
    const asked: bigint[] = [];
    const findNewestBackup = async (id: bigint): Promise<Date> => {
      asked.push(id);
      return now;
    };
    expect((await factsOf(liveCluster(), { findNewestBackup })).newestBackupAt).toBe(now);
    expect(asked).toEqual([clusterId]);
    const failing = () => Promise.reject(refuses('store-unreachable'));
    await expect(factsOf(liveCluster(), { findNewestBackup: failing })).rejects.toEqual(
      wardenError('store-unreachable'),
    );
  });

  it('rejects where there is no member list', async () => {
    const { etcd, metrics } = scripted({});
    const discover = () => Promise.reject(refuses('etcd-unreachable', 'no endpoint answers'));
    await expect(factsOf({ etcd: { ...etcd, discover }, metrics })).rejects.toEqual(wardenError('etcd-unreachable'));
  });

  it('ends at once when it is told to, whatever the members are at', async () => {
    const member: MemberScript = {
      status: (_, signal) => untilAborted(signal),
      alarms: (_, signal) => untilAborted(signal),
    };
    const found = factsOf(scripted(member, member));
    stop.abort(refuses('interrupted', 'ended by SIGTERM'));
    await expect(found).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
  });

  it('has a client for each of its own members, and for nobody else', async () => {
    const { etcd, metrics } = liveCluster();
    etcds.push(etcd);
    await using look = await lookAtCluster({ etcd, metrics, clock }, plain, stop.signal);
    const [m1, m2] = look.facts.members;
    if (m1 === undefined || m2 === undefined) throw new Error('members are missing');
    expect([look.clientOf(m1).member.name, look.clientOf(m2).member.name]).toEqual(['m1', 'm2']);
    expect(etcd.openClients()).toBe(3);
    expect(() => look.clientOf({ ...m1 })).toThrow('not of this look');
  });
});
