import { describe, expect, it } from 'vitest';
import type { ClusterFacts } from '../../src/defrag/facts.ts';
import type { DefragStep } from '../../src/defrag/plan.ts';
import { refuseStep } from '../../src/defrag/refuse-step.ts';
import { cluster, compact, defaults, idOf, learner, member, plain, type Changes } from './cluster.ts';

/** Steps that planning never makes: what a defect there could bring about. */
const look = (facts: ClusterFacts, step: Partial<DefragStep>) => {
  const whole: DefragStep = {
    member: member(1),
    role: 'follower',
    moveLeaderTo: undefined,
    reasons: [],
    predictedReclaimBytes: 0,
    isEmergency: true,
    ...step,
  };
  const refusal = refuseStep({ step: whole, policy: defaults, facts, request: plain });
  return refusal === undefined ? 'go' : `${refusal.because}: ${refusal.explanation}`;
};
const three = cluster([{}, {}, {}]);

describe('the last look before a step', () => {
  it('lets a sound one pass', () => {
    expect(look(three, {})).toBe('go');
    expect(look(three, { member: member(0), role: 'leader', moveLeaderTo: member(1) })).toBe('go');
  });

  // BC-25
  it('refuses a learner, though the step took it for a voter', () => {
    const facts = cluster([{}, {}, {}, learner]);
    expect(look(facts, { member: member(3) })).toBe('split-view: etcd-3 (a3) is not a listed voter');
  });

  it('refuses a member that is not listed, or whose id is not known', () => {
    expect(look(three, { member: member(7) })).toBe('split-view: etcd-7 (a7) is not a listed voter');
    expect(look(three, { member: { ...member(1), id: 0n } })).toBe('split-view: etcd-1 (0) is not a listed voter');
  });

  it('goes by what the facts say of a member, not by the copy in the step', () => {
    const silent = cluster([{}, { silent: 'refused' }, {}]);
    expect(look(silent, {})).toBe('unreachable-voter: no answer from etcd-1 (refused)');
    const old = cluster([{}, { version: '3.5.1' }, {}]);
    expect(look(old, {})).toContain('unsafe-version: etcd 3.5.1 of etcd-1');
  });

  it('refuses the only member of a cluster though the step says that it is one of several', () => {
    expect(look(cluster([{}]), { member: member(0) })).toContain('single-member');
  });

  // BC-11
  // BC-13
  it.each<[string, DefragStep['moveLeaderTo'], Changes]>([
    ['nobody', undefined, compact],
    ['itself', member(0), compact],
    ['a stranger', member(7), compact],
    ['a learner', member(3), compact],
  ])('refuses to take out the leader with %s to take over, whatever role the step says', (_name, moveLeaderTo) => {
    const facts = cluster([{}, {}, {}, learner]);
    for (const role of ['follower', 'leader', 'single'] as const) {
      expect(look(facts, { member: member(0), role, moveLeaderTo })).toMatch(/^no-successor: leadership of etcd-0 /);
    }
  });

  it('says who is not fit to take over', () => {
    expect(look(three, { member: member(0) })).toBe(
      'no-successor: leadership of etcd-0 has to be moved first, and no other voter is fit to take over',
    );
    expect(look(three, { member: member(0), moveLeaderTo: member(0) })).toBe(
      'no-successor: leadership of etcd-0 has to be moved first, and etcd-0 is not fit to take over',
    );
  });

  it('counts who is left, without the member of the step', () => {
    const facts = cluster([{}, {}]);
    expect(look(facts, { member: member(1) })).toContain('would-break-quorum: without etcd-1 1 of 2 voters');
    expect(look(facts, { member: { ...member(0), id: idOf(0) } })).toContain('would-break-quorum');
  });
});
