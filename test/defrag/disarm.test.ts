import { describe, expect, it } from 'vitest';
import type { ClusterFacts, Quota } from '../../src/defrag/facts.ts';
import { planDisarm } from '../../src/defrag/plan-disarm.ts';
import { cluster, GiB, idOf, learner, unstarted, type Changes } from './cluster.ts';

type Raised = readonly [index: number, type: 'NOSPACE' | 'CORRUPT' | 'UNKNOWN'];
const full: Changes = { dbSizeBytes: 7.9 * GiB };

const disarm = (members: readonly Changes[], alarms: readonly Raised[], facts: Partial<ClusterFacts> = {}) =>
  planDisarm(cluster(members, { alarms: alarms.map(([index, type]) => ({ memberId: idOf(index), type })), ...facts }));
const lifted = (...args: Parameters<typeof disarm>) => {
  const found = disarm(...args);
  return found.verdict === 'go' ? found.alarms : found.explanation;
};

describe('NOSPACE is lifted', () => {
  it('once every voter is well below its quota, and it is said why', () => {
    expect(disarm([{}, {}, {}], [[1, 'NOSPACE']])).toEqual({
      verdict: 'go',
      alarms: [{ memberId: idOf(1), type: 'NOSPACE' }],
      reasons: ['NOSPACE of etcd-1: every voter is below 90% of its quota'],
    });
  });

  // field: F078
  // BC-15
  it('of exactly the members that raised it, in whatever order', () => {
    const alarms: Raised[] = [
      [1, 'NOSPACE'],
      [0, 'NOSPACE'],
    ];
    const expected = [0, 1].map((index) => ({ memberId: idOf(index), type: 'NOSPACE' }));
    expect(lifted([{}, {}, {}], alarms)).toEqual(expected);
    expect(lifted([{}, {}, {}], [...alarms.toReversed(), [1, 'NOSPACE']])).toEqual(expected);
  });

  // BC-15: etcd 3.4 and 3.5 let a corrupt cluster write again once the last NOSPACE is gone.
  it.each(['CORRUPT', 'UNKNOWN'] as const)('not while %s is raised too, in either order', (other) => {
    const alarms: Raised[] = [
      [2, other],
      [1, 'NOSPACE'],
    ];
    const stays = `NOSPACE of etcd-1 stays: ${other} is raised as well`;
    expect(lifted([{}, {}, {}], alarms)).toEqual(stays);
    expect(lifted([{}, {}, {}], alarms.toReversed())).toEqual(stays);
  });

  // field: F078
  // Member 0 would mean every member.
  it('never of member 0', () => {
    expect(lifted([{}], [], { alarms: [{ memberId: 0n, type: 'NOSPACE' }] })).toEqual([]);
  });

  it('of a member that is not listed any more', () => {
    expect(lifted([{}, {}, {}], [[9, 'NOSPACE']])).toEqual([{ memberId: idOf(9), type: 'NOSPACE' }]);
  });

  it('of nobody where it is not raised, however full the members are', () => {
    expect(disarm([full, full, full], [[1, 'CORRUPT']])).toEqual({ verdict: 'go', alarms: [], reasons: [] });
  });

  // field: F077
  it('though a member failed to be defragmented, because its size alone counts', () => {
    const failed = { lastDefrag: { at: new Date(0), beforeBytes: 8 * GiB, afterBytes: undefined, failures: 4 } };
    expect(lifted([{}, {}, failed], [[2, 'NOSPACE']])).toHaveLength(1);
  });

  it('below 90% of the quota and not at it; an unlimited one is always far enough', () => {
    const quota: Quota = { kind: 'limited', bytes: 10 * GiB, source: 'configuration' };
    expect(lifted([{}, {}, { quota, dbSizeBytes: 9 * GiB - 1 }], [[0, 'NOSPACE']])).toHaveLength(1);
    expect(lifted([{}, {}, { quota, dbSizeBytes: 9 * GiB }], [[0, 'NOSPACE']])).toBe(
      'NOSPACE of etcd-0 stays: etcd-2 takes 9 GiB of its quota 10 GiB, 90%, and has to be below 90%',
    );
    const unlimited: Quota = { kind: 'unlimited', source: 'metrics' };
    expect(lifted([{}, {}, { ...full, quota: unlimited }], [[0, 'NOSPACE']])).toHaveLength(1);
  });
});

describe('NOSPACE stays, and the member is named,', () => {
  const because = (changes: Changes, facts: Partial<ClusterFacts> = {}) =>
    lifted([{}, {}, changes], [[0, 'NOSPACE']], facts);

  // field: F077
  it('while one is close to its quota', () => {
    expect(because(full)).toBe(
      'NOSPACE of etcd-0 stays: etcd-2 takes 7.9 GiB of its quota 8 GiB, 98.7%, and has to be below 90%',
    );
  });

  it('while one does not answer or was never started', () => {
    expect(because({ silent: 'connection refused' })).toBe(
      'NOSPACE of etcd-0 stays: etcd-2 did not answer (connection refused)',
    );
    expect(because(unstarted)).toBe('NOSPACE of etcd-0 stays: a2 was never started');
  });

  it('while the quota of one is not known', () => {
    expect(because({ quota: { kind: 'unknown', reason: 'HTTP 404' } })).toBe(
      'NOSPACE of etcd-0 stays: the quota of etcd-2 is not known (HTTP 404)',
    );
  });

  it('without a majority, which it takes', () => {
    expect(because({}, { noQuorumBecause: 'no answer within 5 s' })).toBe(
      'NOSPACE of etcd-0 stays: no linearizable read went through: no answer within 5 s',
    );
  });

  it('while a learner is full, because it would raise it again; a silent one is not waited for', () => {
    expect(because({ ...learner, ...full })).toContain('etcd-2 takes 7.9 GiB');
    expect(because({ ...learner, silent: 'refused' })).toHaveLength(1);
    expect(because({ ...learner, quota: { kind: 'unknown', reason: 'HTTP 404' } })).toHaveLength(1);
  });
});
