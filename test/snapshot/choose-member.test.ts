import { describe, expect, it } from 'vitest';
import type { MemberStatus } from '../../src/ports/etcd.ts';
import { chooseMembers, type MemberFacts, type Preference } from '../../src/snapshot/choose-member.ts';
import { surveyedMember } from '../support/scripted-etcd.ts';

const leaderId = 1n;
const member = (name: string, changes: Partial<MemberStatus> = {}, facts: Partial<MemberFacts> = {}): MemberFacts => ({
  ...surveyedMember({ name, status: { leaderId, memberId: 2n, revision: 100n, raftAppliedIndex: 500n, ...changes } }),
  ...facts,
});
const leader = member('leader', { memberId: leaderId });

const order = (
  members: readonly MemberFacts[],
  prefer: Preference = 'follower',
  readRevision: bigint | undefined = 100n,
) => chooseMembers(members, readRevision, prefer).candidates.map(({ name }) => name);

describe('choosing a member for a snapshot', () => {
  it('tries the followers first and the leader last', () => {
    expect(order([leader, member('a'), member('b')])).toEqual(['a', 'b', 'leader']);
  });

  it('tries the leader first where it is preferred', () => {
    expect(order([member('a'), leader, member('b')], 'leader')).toEqual(['leader', 'a', 'b']);
  });

  it('does not mind roles where none is preferred', () => {
    const ahead = member('ahead', { raftAppliedIndex: 501n });
    expect(order([leader, member('a'), ahead], 'any')).toEqual(['ahead', 'leader', 'a']);
  });

  it('takes the furthest along first, and keeps the order of the list among equals', () => {
    const [behind, ahead] = [member('behind', { raftAppliedIndex: 499n }), member('ahead', { raftAppliedIndex: 501n })];
    expect(order([behind, member('a'), ahead, member('b')])).toEqual(['ahead', 'a', 'b', 'behind']);
  });

  it('prefers a follower that is behind to a leader, as long as it has what is needed', () => {
    expect(order([leader, member('behind', { raftAppliedIndex: 1n })])).toEqual(['behind', 'leader']);
  });

  it('compares revisions and indices that a double cannot hold', () => {
    const [a, b] = [member('a', { raftAppliedIndex: 2n ** 53n }), member('b', { raftAppliedIndex: 2n ** 53n + 1n })];
    expect(order([a, b])).toEqual(['b', 'a']);
  });

  it.each<[string, MemberFacts, string]>([
    // field: F058
    ['a learner', member('x', { isLearner: true }), 'a learner'],
    ['one with a CORRUPT alarm', member('x', {}, { hasCorruptAlarm: true }), 'has the alarm CORRUPT'],
    ['one that lags', member('x', { revision: 99n }), 'has applied revision 99, the cluster is at 100'],
    [
      'one that did not answer',
      member('x', {}, { status: undefined, unreachable: 'no answer within 10 s' }),
      'no answer within 10 s',
    ],
    ['one that nothing is known of', member('x', {}, { status: undefined, unreachable: undefined }), 'unreachable'],
  ])('skips %s and says why', (_, skipped, reason) => {
    const choice = chooseMembers([skipped, member('good')], 100n, 'follower');
    expect(choice.candidates.map(({ name }) => name)).toEqual(['good']);
    expect(choice.skipped).toEqual([{ name: 'x', reason }]);
  });

  it('takes one that is further along than the read', () => {
    expect(order([member('a', { revision: 101n })])).toEqual(['a']);
  });

  it('holds no revision against a member where the cluster could not be read', () => {
    expect(chooseMembers([member('a', { revision: 5n })], undefined, 'follower').candidates).toHaveLength(1);
  });

  it('leaves nobody where nobody fits, each with its reason', () => {
    const choice = chooseMembers([member('a', { isLearner: true }), member('b', { revision: 1n })], 100n, 'any');
    expect([choice.candidates.length, choice.skipped.map(({ name }) => name)]).toEqual([0, ['a', 'b']]);
  });

  it('leaves the list it was given as it was', () => {
    const members = [leader, member('a')];
    order(members);
    expect(members.map(({ name }) => name)).toEqual(['leader', 'a']);
  });
});
