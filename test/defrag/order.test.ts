import { describe, expect, it } from 'vitest';
import { compact, GiB, idOf, learner, plan, stepsOf, verdictOf, type Changes } from './cluster.ts';

const leading = (index: number) => ({ leaderId: idOf(index) });

describe('the order of steps', () => {
  // field: F064
  // field: F065
  // BC-11
  it('is followers first and the leader last, whatever its size and place', () => {
    const led = leading(1);
    const found = plan([led, { ...led, dbSizeBytes: 7.9 * GiB }, led]);
    expect(found.steps.map(({ role }) => role)).toEqual(['follower', 'follower', 'leader']);
    expect(stepsOf(found)).toEqual(['etcd-0', 'etcd-2', 'etcd-1 after a move to etcd-0']);
  });

  it('is by name where sizes differ by little: the next look would tell it the other way round', () => {
    const sizes = [{}, { name: 'b', dbSizeBytes: GiB + 65_536 }, { name: 'a' }];
    expect(stepsOf(plan(sizes)).slice(0, 2)).toEqual(['a', 'b']);
  });

  it('is the fullest first, then what gives back most, then by name', () => {
    const sizes: Changes[] = [
      compact,
      { name: 'c' },
      { name: 'b', inUseBytes: GiB / 3 },
      { name: 'fullest', dbSizeBytes: 5 * GiB },
      { name: 'a' },
    ];
    expect(stepsOf(plan(sizes))).toEqual(['fullest', 'a', 'c', 'b']);
  });

  it('is by usage, not by size, and puts those without a limit behind', () => {
    const limited = (bytes: number): Changes => ({ quota: { kind: 'limited', bytes, source: 'status' } });
    const found = plan([
      compact,
      { dbSizeBytes: 7 * GiB, quota: { kind: 'unlimited', source: 'status' } },
      { dbSizeBytes: 6 * GiB, ...limited(100 * GiB) },
      { dbSizeBytes: GiB, ...limited(2 * GiB) },
      { dbSizeBytes: 7 * GiB, quota: { kind: 'unknown', reason: 'no metrics' } },
    ]);
    expect(stepsOf(found)).toEqual(['etcd-3', 'etcd-2', 'etcd-1', 'etcd-4']);
  });
});

describe('the leader', () => {
  // field: F065
  it('moves leadership to one that was finished in this run, rather than to one that needed nothing', () => {
    const found = plan([{}, compact, { raftAppliedIndex: 999_500n }], { done: new Set([idOf(2)]) });
    expect(stepsOf(found)).toEqual(['etcd-0 after a move to etcd-2']);
  });

  it('moves it to one that needs nothing, rather than to one that is due and was not asked for', () => {
    expect(stepsOf(plan([{}, {}, compact], { only: 'etcd-0' }))).toEqual(['etcd-0 after a move to etcd-2']);
    expect(stepsOf(plan([{}, {}, {}], { only: 'etcd-0' }))).toEqual(['etcd-0 after a move to etcd-1']);
  });

  it('moves it, of those that have caught up, to the first by name: a few entries more make no other plan', () => {
    const found = plan([{}, { ...compact, raftAppliedIndex: 999_999n }, compact, compact, learner]);
    expect(stepsOf(found)).toEqual(['etcd-0 after a move to etcd-1']);
  });

  it('forecasts a follower whose turn comes before its own', () => {
    expect(stepsOf(plan([{}, {}, {}]))).toEqual(['etcd-1', 'etcd-2', 'etcd-0 after a move to etcd-1']);
    expect(stepsOf(plan([{}, compact, {}]))).toEqual(['etcd-2', 'etcd-0 after a move to etcd-2']);
  });

  // BC-13
  it.each<[string, Changes]>([
    ['a learner', learner],
    ['one that lags', { raftAppliedIndex: 1n }],
    ['one that did not answer', { silent: 'refused' }],
  ])('never moves it to %s, though that one is finished', (_name, changes) => {
    const done = new Set([idOf(1)]);
    const [step] = plan([{}, { ...compact, ...changes }, compact, compact, compact], { done }).steps;
    expect(step?.moveLeaderTo?.name).toBe('etcd-2');
  });

  // BC-15
  it('moves it to one without NOSPACE where there is one, but is not kept from its cure where there is none', () => {
    const nospace = (...indices: number[]) => ({
      facts: { alarms: indices.map((index) => ({ memberId: idOf(index), type: 'NOSPACE' as const })) },
    });
    expect(stepsOf(plan([{}, compact, compact], nospace(0, 1)))).toEqual(['etcd-0 after a move to etcd-2']);
    const all = plan([{}, compact, compact], nospace(0, 1, 2));
    expect(stepsOf(all)).toEqual(['etcd-0 after a move to etcd-1']);
    expect(all.verdict).toBe('go');
  });

  it('stays the leader where moveLeader is false, and still comes last', () => {
    const found = plan([{}, {}, {}], { moveLeader: false });
    expect(stepsOf(found)).toEqual(['etcd-1', 'etcd-2', 'etcd-0']);
    expect(plan([{}, compact, compact], { moveLeader: false }).verdict).toBe('go');
  });

  it('has nobody to move to in a cluster of one', () => {
    const found = plan([{}, learner], { allowSingleMember: true });
    expect(found.steps).toMatchObject([{ role: 'single', moveLeaderTo: undefined }]);
    expect(verdictOf(found)).toBe('go');
  });
});
