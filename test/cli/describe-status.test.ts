import { describe, expect, it } from 'vitest';
import { describeStatus } from '../../src/cli/describe-status.ts';
import type { ClusterFacts } from '../../src/defrag/facts.ts';
import type { RepositoryStatus } from '../../src/jobs/status.ts';
import { cluster, GiB, hourMs, idOf, MiB, now, type Changes } from '../defrag/cluster.ts';
import { refuses } from '../support/scripted-etcd.ts';

function linesOf(
  members: readonly Changes[],
  facts: Partial<ClusterFacts> = {},
  repositories?: readonly RepositoryStatus[],
): readonly string[] {
  const status = { clusterId: 0xc1n, facts: cluster(members, facts) };
  return describeStatus(status, { maxRaftLag: 1000, repositories }).lines;
}

describe('The status as an operator reads it', () => {
  it('is a table of the members, when it was so, and that no alarm is raised', () => {
    expect(linesOf([{}, { dbSizeBytes: 2 * GiB, inUseBytes: 2 * GiB - MiB }])).toEqual([
      'cluster c1 at 2026-11-25T12:00:00Z',
      '  MEMBER  ROLE      VERSION      SIZE     IN USE      RECLAIMABLE     QUOTA  USAGE  RAFT       DOING',
      '  etcd-0  leader    3.6.16   1.00 GiB  256.0 MiB  768.0 MiB (75%)  8.00 GiB    12%  caught up  -',
      '  etcd-1  follower  3.6.16   2.00 GiB   2.00 GiB    1.00 MiB (0%)  8.00 GiB    25%  caught up  -',
      'no alarms',
    ]);
  });

  it('has the members in the order of their names', () => {
    const names = linesOf([{ name: 'c' }, { name: 'a' }, { name: 'b' }]).map((line) => line.trim().split(' ')[0]);
    expect(names.slice(2, 5)).toEqual(['a', 'b', 'c']);
  });

  it('calls nobody behind for a few entries, which are the time between two questions', () => {
    const [first, second] = linesOf([{}, { raftIndex: 999_997n }]).slice(2);
    expect([first, second]).toEqual([expect.stringMatching(/caught up +-$/), expect.stringMatching(/caught up +-$/)]);
    expect(linesOf([{}, { raftIndex: 995_000n }])[3]).toMatch(/ 5000 behind +-$/);
  });

  it('shows alarms by the names of their members, and those of members that are gone by their ids', () => {
    const alarms = [
      { memberId: idOf(1), type: 'NOSPACE' },
      { memberId: 0xfen, type: 'CORRUPT' },
    ] as const;
    expect(linesOf([{}, {}], { alarms }).at(-1)).toBe('ALARMS: NOSPACE of etcd-1, CORRUPT of fe');
  });

  it('does not say that there are no alarms where nobody can tell', () => {
    const lines = linesOf([{ leaderId: 0n }], { noQuorumBecause: 'etcdserver: no leader' });
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^ {2}etcd-0 +no leader /),
      'NO QUORUM: etcdserver: no leader',
    ]);
  });

  // field: F082
  it('tells an unknown quota from none at all, and what to do about it', () => {
    const lines = linesOf([
      { quota: { kind: 'unknown', reason: 'neither status nor metrics tell it' } },
      { quota: { kind: 'unlimited', source: 'status' } },
    ]);
    expect(lines[2]).toMatch(/ unknown +- +caught up/);
    expect(lines[3]).toMatch(/ none +- +caught up/);
    expect(lines[4]).toBe(
      '  etcd-0: its quota is unknown (neither status nor metrics tell it); cluster.quota gives it',
    );
  });

  // BC-25
  it('shows members that are down, were never started, or only learn', () => {
    const lines = linesOf([
      {},
      { silent: 'connection refused' },
      { isUnstarted: true, name: 'a9' },
      { isLearner: true },
    ]);
    expect(lines.slice(2, 7)).toEqual([
      expect.stringMatching(/^ {2}a9 +not started( +-)+$/),
      expect.stringMatching(/^ {2}etcd-0 +leader/),
      expect.stringMatching(/^ {2}etcd-1 +unknown( +-)+$/),
      expect.stringMatching(/^ {2}etcd-3 +learner/),
      '  etcd-1: connection refused',
    ]);
  });

  it('shows what a member is doing, and where that is not known', () => {
    const seen = { kind: 'seen', openSnapshots: 2, raftSnapshotsInFlight: 1, isDefragmenting: true } as const;
    const lines = linesOf([
      { activity: seen },
      { activity: { kind: 'unknown', reason: 'no metrics there' } },
      { activity: { kind: 'not-asked' } },
    ]);
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/ defragmenting, 2 snapshots, sending a raft snapshot$/),
      expect.stringMatching(/ unknown$/),
      expect.stringMatching(/ not asked$/),
      '  etcd-1: what it does is unknown (no metrics there)',
      'no alarms',
    ]);
  });

  // field: F070
  it('names releases with known harm, members that are cut off, and defragmentations that did not end well', () => {
    const lastDefrag = { at: new Date(now.getTime() - hourMs), beforeBytes: 1, afterBytes: undefined, failures: 2 };
    expect(linesOf([{ version: '3.5.9', cutOffBecause: 'too slow', lastDefrag }]).slice(3, 6)).toEqual([
      '  etcd-0: no read that needs a majority: too slow',
      expect.stringMatching(/^ {2}etcd-0: etcd 3\.5\.9 is before 3\.5\.23, .*corrupt its data/),
      '  etcd-0: the last 2 defragmentations did not end well, 1h 0m ago',
    ]);
  });

  it('ends with the newest backup of each repository', () => {
    const time = new Date(now.getTime() - 3 * hourMs);
    const repositories: RepositoryStatus[] = [
      { name: 'primary', newest: { id: 'an-id', time, verifiedAt: undefined }, error: undefined },
      { name: 'second', newest: { id: 'an-id', time, verifiedAt: now }, error: undefined },
      { name: 'empty', newest: undefined, error: undefined },
      { name: 'far', newest: undefined, error: refuses('store-unreachable', 'no way there') },
    ];
    expect(linesOf([{}], {}, repositories).slice(-6)).toEqual([
      'newest backups',
      '  REPOSITORY    AGE  READ BACK  BACKUP',
      '  primary     3h 0m  never      an-id',
      '  second      3h 0m  0s ago     an-id',
      '  empty           -  -          none',
      '  far             -  -          no way there',
    ]);
  });
});

describe('The status as data', () => {
  it('has every field in every case, ids in hexadecimal and 64-bit numbers as text', () => {
    const lastDefrag = { at: now, beforeBytes: 5, afterBytes: undefined, failures: 1 };
    const facts = cluster([{ lastDefrag, raftIndex: 999_998n }, { silent: 'connection refused' }, {}], {
      alarms: [{ memberId: idOf(0), type: 'NOSPACE' }],
    });
    const { json } = describeStatus({ clusterId: 0xc1n, facts }, { maxRaftLag: 1000 });
    expect(json).toMatchObject({
      clusterId: 'c1',
      time: '2026-11-25T12:00:00Z',
      hasQuorum: true,
      noQuorumBecause: null,
      alarms: [{ member: 'etcd-0', id: 'a0', type: 'NOSPACE' }],
      repositories: null,
    });
    const [up, down] = (json as { members: Record<string, unknown>[] }).members;
    expect(up).toEqual({
      id: 'a0',
      name: 'etcd-0',
      role: 'leader',
      isReachable: true,
      unreachableBecause: null,
      cutOffBecause: null,
      version: '3.6.16',
      dbSizeBytes: GiB,
      inUseBytes: GiB / 4,
      reclaimableBytes: 0.75 * GiB,
      quota: { bytes: 8 * GiB, source: 'status' },
      usage: 0.125,
      leader: 'a0',
      raftTerm: '7',
      raftIndex: '999998',
      raftAppliedIndex: '999998',
      raftLag: 2,
      activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: false },
      lastDefrag: { at: '2026-11-25T12:00:00Z', beforeBytes: 5, afterBytes: null, failures: 1 },
    });
    expect(Object.keys(down ?? {})).toEqual(Object.keys(up ?? {}));
    expect(down).toMatchObject({ role: 'unknown', isReachable: false, dbSizeBytes: null, usage: null, raftLag: null });
  });
});
