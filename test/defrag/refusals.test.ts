import { describe, expect, it } from 'vitest';
import type { Activity, ClusterFacts } from '../../src/defrag/facts.ts';
import {
  compact,
  GiB,
  hourMs,
  idOf,
  learner,
  now,
  plan,
  stepsOf,
  unstarted,
  verdictOf,
  type Changes,
} from './cluster.ts';

const seen = (changes: Partial<Extract<Activity, { kind: 'seen' }>>): Changes => ({
  activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: false, ...changes },
});
const raised = (
  ...alarms: readonly (readonly [number, 'NOSPACE' | 'CORRUPT' | 'UNKNOWN'])[]
): Partial<ClusterFacts> => ({
  alarms: alarms.map(([index, type]) => ({ memberId: idOf(index), type })),
});
/** Of three members, of which `etcd-1` goes first and `etcd-2` is as given. */
const third = (changes: Changes, facts: Partial<ClusterFacts> = {}) => verdictOf(plan([{}, {}, changes], { facts }));
const first = (changes: Changes) => verdictOf(plan([{}, changes, compact]));

describe('nothing is defragmented', () => {
  it('in a cluster of one that was not allowed to stop serving', () => {
    expect(verdictOf(plan([{}]))).toBe(
      'single-member: etcd-0 is the only voter: the cluster serves nothing while it is defragmented, and defrag.allowSingleMember does not allow that',
    );
    expect(plan([{}, learner])).toMatchObject({ because: 'single-member' });
    expect(plan([{}], { allowSingleMember: true })).toMatchObject({ verdict: 'go', steps: [{ role: 'single' }] });
  });

  it('while a voter knows of no leader', () => {
    expect(third({ leaderId: 0n })).toBe('no-leader: no leader is known to etcd-2');
  });

  // field: F072
  // BC-12
  // One that is cut off from the others answers for itself all the same.
  it('without a majority', () => {
    expect(third({}, { noQuorumBecause: 'no answer within 5 s' })).toBe(
      'no-leader: no linearizable read went through: no answer within 5 s',
    );
  });

  // BC-11
  // BC-12
  it.each<[string, Changes, string]>([
    [
      'the leader',
      { leaderId: idOf(1) },
      'the voters disagree about the leader: etcd-0 follows etcd-0, etcd-1 follows etcd-0 and etcd-2 follows etcd-1',
    ],
    [
      'the term',
      { raftTerm: 8n },
      'the voters disagree about the raft term: etcd-0 is in 7, etcd-1 is in 7 and etcd-2 is in 8',
    ],
    [
      'a member that is not listed',
      { knownMemberIds: [0, 1, 2, 3].map(idOf) },
      'etcd-2 knows of 4 members, 3 are listed: a3 is not',
    ],
    ['a listed member', { knownMemberIds: [0, 2].map(idOf) }, 'etcd-2 does not know of member etcd-1'],
  ])('while the voters disagree about %s', (_name, changes, explanation) => {
    expect(third(changes)).toBe(`split-view: ${explanation}`);
  });

  it('while the leader is none of the listed voters', () => {
    const stranger = { leaderId: 0xffn, knownMemberIds: undefined };
    expect(verdictOf(plan([stranger, stranger, stranger]))).toBe('split-view: the leader ff is not a listed voter');
  });

  it('while one member seems to be two', () => {
    expect(third({ id: idOf(1) })).toBe('split-view: member a1 is listed more than once, as etcd-1 and etcd-2');
  });

  it('while it is not known which member answered', () => {
    expect(third({ id: 0n })).toBe('split-view: etcd-2 answered, but what its id is, is not known');
  });

  // field: F060
  it('while a member was added and never started', () => {
    expect(third(unstarted)).toBe(
      'unstarted-member: added to the cluster and never started: a2; until then a vote that counts is missing',
    );
  });

  // field: F072
  // The whole cluster counts, also where enough would be left.
  it('while a voter does not answer, in however large a cluster', () => {
    expect(verdictOf(plan([{}, {}, {}, {}, { silent: 'connection refused' }]))).toBe(
      'unreachable-voter: no answer from etcd-4 (connection refused)',
    );
  });

  it('while a voter does not answer whose id is not even known', () => {
    const known = [0, 1, 2].map(idOf);
    const found = plan([
      { knownMemberIds: known },
      { knownMemberIds: known },
      { id: 0n, silent: 'connection refused' },
    ]);
    expect(verdictOf(found)).toBe('unreachable-voter: no answer from etcd-2 (connection refused)');
  });

  // BC-15
  it('while a member is corrupt, wherever its alarm stands in the list', () => {
    for (const facts of [raised([2, 'CORRUPT'], [1, 'NOSPACE']), raised([1, 'NOSPACE'], [2, 'CORRUPT'])]) {
      expect(third({}, facts)).toBe(
        'corrupt-alarm: raised: CORRUPT of etcd-2; while members may differ, a good one must not be taken out',
      );
    }
  });

  it('while an alarm is raised that is not known, or one of a member that is not listed', () => {
    expect(third({}, raised([1, 'UNKNOWN']))).toContain('corrupt-alarm: raised: UNKNOWN of etcd-1');
    expect(third({}, raised([9, 'CORRUPT']))).toContain('corrupt-alarm: raised: CORRUPT of a9');
  });

  // BC-15
  it('but NOSPACE does not stand in the way of its cure', () => {
    expect(third({}, raised([0, 'NOSPACE'], [1, 'NOSPACE'], [2, 'NOSPACE']))).toBe('go');
  });

  // BC-09
  // BC-28
  it('while anybody defragments any member', () => {
    expect(third(seen({ isDefragmenting: true }))).toBe('defrag-running: being defragmented already: etcd-2');
    const found = plan([{}, {}, {}, { ...learner, ...seen({ isDefragmenting: true }) }]);
    expect(found).toMatchObject({ because: 'defrag-running' });
  });

  it('while an earlier run was not seen to end, where metrics do not tell', () => {
    const begun = (agoMs: number): Changes => ({
      activity: { kind: 'not-asked' },
      lastDefrag: { at: new Date(now.getTime() - agoMs), beforeBytes: GiB, afterBytes: undefined, failures: 1 },
    });
    expect(third(begun(60_000))).toBe('defrag-running: being defragmented already: etcd-2');
    expect(third(begun(hourMs))).toBe('go');
    expect(third({ ...begun(60_000), ...seen({}) })).toBe('go');
  });

  // field: F064
  // BC-12
  it.each<Changes>([{ raftIndex: 998_999n }, { raftAppliedIndex: 998_999n }])(
    'while a voter lags more than maxRaftLag behind: %o',
    (changes) => {
      expect(third(changes)).toBe(
        'lagging-voter: etcd-2 is 1001 entries behind the furthest voter, more than maxRaftLag 1000',
      );
    },
  );

  it('but a lag of maxRaftLag is none, and a learner may lag', () => {
    expect(third({ raftAppliedIndex: 999_000n })).toBe('go');
    expect(verdictOf(plan([{}, {}, {}, { ...learner, raftIndex: 1n }]))).toBe('go');
  });

  it('while somebody streams a snapshot from the member that goes first', () => {
    expect(first(seen({ openSnapshots: 1 }))).toBe('snapshot-open: snapshot streams: 1 open from etcd-1');
    expect(third(seen({ openSnapshots: 1 }))).toBe('go');
  });

  it('while a raft snapshot is on its way anywhere', () => {
    const found = plan([{ ...compact, ...seen({ raftSnapshotsInFlight: 1 }) }, {}, {}, learner]);
    expect(verdictOf(found)).toBe('snapshot-open: snapshot streams: raft snapshots on their way from etcd-0');
  });

  it('while it cannot be seen what any voter does, unless nobody wants to look', () => {
    const blind: Changes = { activity: { kind: 'unknown', reason: 'HTTP 404' } };
    const explanation =
      'activity-unknown: whether a snapshot or another defragmentation runs cannot be seen of etcd-1 (HTTP 404): set cluster.metrics to where the members serve /metrics, or to off to go on without looking';
    expect(first(blind)).toBe(explanation);
    expect(third(blind)).toBe(explanation.replace('etcd-1', 'etcd-2'));
    expect(first({ activity: { kind: 'not-asked' } })).toBe('go');
  });

  it('in a cluster of two: one alone decides nothing', () => {
    expect(verdictOf(plan([{}, {}], { allowSingleMember: true }))).toBe(
      'would-break-quorum: without etcd-1 1 of 2 voters would serve and be caught up, and 2 are needed for a majority',
    );
  });

  // field: F070
  it('by a release that can corrupt its data, unless that is accepted', () => {
    expect(first({ version: '3.5.22' })).toBe(
      'unsafe-version: etcd 3.5.22 of etcd-1 is before 3.5.23, and a defragmentation while a raft snapshot arrives can corrupt its data (etcd#20653)',
    );
    expect(third({ version: '3.5.22' })).toBe('go');
    expect(plan([{}, { version: '3.5.22' }, {}], { acceptUnsafeVersion: true }).verdict).toBe('go');
  });

  it('without a recent backup where one is required', () => {
    const backedUp = (newestBackupAt: Date | undefined) =>
      verdictOf(plan([{}, {}, {}], { requireBackupWithinMs: 24 * hourMs, facts: { newestBackupAt } }));
    const taken = (hoursAgo: number) => new Date(now.getTime() - hoursAgo * hourMs);
    expect(backedUp(taken(24))).toBe('go');
    expect(backedUp(taken(-1))).toBe('go');
    expect(backedUp(taken(25))).toBe(
      'no-recent-backup: requireBackupWithin 1 d demands a backup, and the newest one is 1 d old',
    );
    expect(backedUp(taken(-49))).toBe(
      'no-recent-backup: requireBackupWithin 1 d demands a backup, and the newest one is dated 2 d ahead of the clock here',
    );
    expect(backedUp(undefined)).toBe('no-recent-backup: requireBackupWithin 1 d demands a backup, and there is none');
  });

  it('and the plan tells all the same what would have been done', () => {
    const found = plan([{}, {}, { silent: 'refused' }]);
    expect(stepsOf(found)).toEqual(['etcd-1', 'etcd-0 after a move to etcd-1']);
    expect(found.skipped.map(({ member }) => member.name)).toEqual(['etcd-2']);
  });

  it('but nothing is refused where nothing is due', () => {
    const found = plan([compact, compact, { ...learner, silent: 'refused' }], {
      facts: { noQuorumBecause: 'no answer' },
    });
    expect(found).toMatchObject({ verdict: 'go', steps: [] });
  });

  // BC-24
  it('though nothing is due, while a voter does not answer: it would never be, and nobody would be told', () => {
    const members = [compact, compact, { silent: 'getaddrinfo ENOTFOUND etcd-2' }];
    expect(verdictOf(plan(members))).toBe(
      'unreachable-voter: whether it is due cannot be told of etcd-2 (did not answer: getaddrinfo ENOTFOUND etcd-2)',
    );
    expect(plan(members, { only: 'etcd-1' }).verdict).toBe('go');
  });

  it('for the most basic of several causes', () => {
    const wrong: Changes = {
      leaderId: 0n,
      raftTerm: 9n,
      raftIndex: 1n,
      version: '3.4.1',
      ...seen({ isDefragmenting: true }),
    };
    const because = (changes: Changes, facts: Partial<ClusterFacts> = {}) => third(changes, facts).split(':')[0];
    const corrupt = raised([2, 'CORRUPT']);
    // One at work does not answer, and must not be taken for one that is down.
    expect(because(wrong, corrupt)).toBe('defrag-running');
    expect(because({ ...seen({ isDefragmenting: true }), silent: 'no answer' })).toBe('defrag-running');
    const idle = { ...wrong, ...seen({}) };
    expect(because(idle, corrupt)).toBe('no-leader');
    expect(because({ ...idle, leaderId: idOf(0) }, corrupt)).toBe('split-view');
    expect(because({ ...idle, leaderId: idOf(0), raftTerm: 7n }, corrupt)).toBe('corrupt-alarm');
    expect(because({ raftIndex: 1n, ...seen({ raftSnapshotsInFlight: 1 }) })).toBe('lagging-voter');
  });
});
