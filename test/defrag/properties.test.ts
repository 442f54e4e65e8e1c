import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterFacts, MemberFacts } from '../../src/defrag/facts.ts';
import { planDefrag } from '../../src/defrag/plan-defrag.ts';
import { planDisarm } from '../../src/defrag/plan-disarm.ts';
import { GiB } from './cluster.ts';
import { reasonsAgainst } from './oracle.ts';
import { anyMoment, faults, type Moment } from './random-clusters.ts';
import { Tally } from './tally.ts';

const seed = Number(process.env['DEFRAG_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runsEach = 10_000;
const tally = new Tally();
let moments = 0;

/** A failure prints its seed, its path and the smallest cluster that was found. */
function expectAlways(predicate: (moment: Moment, drawn: number) => void): void {
  const property = fc.property(anyMoment, fc.nat(), (moment, drawn) => {
    moments++;
    predicate(moment, drawn);
  });
  fc.assert(property, { seed, numRuns: runsEach });
}

const planned = ({ policy, facts, request }: Moment) => tally.note(planDefrag(policy, facts, request));
const votersOf = ({ members }: ClusterFacts) => members.filter(({ isLearner }) => !isLearner);
const leads = ({ id }: MemberFacts, facts: ClusterFacts) =>
  id !== 0n && votersOf(facts).some(({ answer }) => answer?.leaderId === id);
/** Taken out now, before anything is looked at again; undefined where nothing is. */
const takenOut = (moment: Moment) => {
  const plan = planned(moment);
  return plan.verdict === 'go' ? plan.steps[0] : undefined;
};

describe('defragmentation of any cluster', { timeout: 60_000 }, () => {
  beforeAll(() => console.log(`DEFRAG_SEED=${seed}`));

  it('takes out only a voter that answers, was asked for and was not finished already', () => {
    expectAlways((moment) => {
      const step = takenOut(moment);
      if (step === undefined) return;
      const { only, done } = moment.request;
      expect(step.member).toMatchObject({ isLearner: false, isUnstarted: false });
      expect(step.member.answer).toBeDefined();
      expect(done).not.toContain(step.member.id);
      if (only !== undefined) expect(step.member.name).toBe(only);
    });
  });

  it('goes exactly when nothing at all speaks against it, and refuses for something that does', () => {
    expectAlways((moment) => {
      const plan = planned(moment);
      const [first] = plan.steps;
      const wanted = plan.verdict === 'refuse' && plan.because !== 'unknown-quota' ? [plan.because] : [];
      const isSilent = votersOf(moment.facts).some(({ answer, isUnstarted }) => answer === undefined && !isUnstarted);
      const isGrave = moment.facts.alarms.some(({ type }) => type !== 'NOSPACE');
      // Where nothing is due, only what would hide that something is.
      const unjudged = isGrave
        ? ['corrupt-alarm']
        : isSilent
          ? wanted.filter((because) => because === 'unreachable-voter')
          : [];
      const against = first === undefined ? unjudged : reasonsAgainst(first, moment);
      if (wanted.length === 0) expect([...against]).toEqual([]);
      else expect([...against]).toEqual(expect.arrayContaining(wanted));
    });
  });

  it('leaves a majority that serves and has caught up', () => {
    expectAlways((moment) => {
      const step = takenOut(moment);
      const voters = votersOf(moment.facts);
      if (step === undefined || voters.length === 1) return;
      const furthest = Math.max(...voters.map(({ answer }) => Number(answer?.raftIndex ?? 0n)));
      const serving = voters.filter(
        ({ id, answer }) =>
          id !== step.member.id && furthest - Number(answer?.raftAppliedIndex ?? 0n) <= moment.policy.maxRaftLag,
      );
      expect(serving.length).toBeGreaterThanOrEqual(Math.floor(voters.length / 2) + 1);
    });
  });

  it('takes the leader last', () => {
    expectAlways((moment) => {
      const { steps } = planned(moment);
      const leading = steps.map(({ member }) => leads(member, moment.facts));
      const first = leading.indexOf(true);
      if (first >= 0) expect(leading.slice(first)).not.toContain(false);
    });
  });

  // BC-13
  it('moves leadership only to another voter that answers, has caught up and is not corrupt', () => {
    expectAlways((moment) => {
      const { steps } = planned(moment);
      for (const [index, { member, moveLeaderTo, role }] of steps.entries()) {
        if (moveLeaderTo === undefined) continue;
        expect(role).toBe('leader');
        expect(moveLeaderTo.isLearner).toBe(false);
        expect(moveLeaderTo.id).not.toBe(member.id);
        const { facts, policy } = moment;
        const furthest = Math.max(...votersOf(facts).map(({ answer }) => Number(answer?.raftIndex ?? 0n)));
        expect(furthest - Number(moveLeaderTo.answer?.raftAppliedIndex)).toBeLessThanOrEqual(policy.maxRaftLag);
        const alarms = facts.alarms.filter(({ memberId }) => memberId === moveLeaderTo.id);
        expect(alarms.every(({ type }) => type === 'NOSPACE')).toBe(true);
        // Whoever still waits for a turn of its own would have to give leadership away again.
        expect(steps.slice(index).map((step) => step.member.id)).not.toContain(moveLeaderTo.id);
      }
    });
  });

  it('plans the same in whatever order members, alarms and views are listed', () => {
    expectAlways((moment, drawn) => {
      const { facts } = moment;
      // Which of two members with one id is meant cannot be told; that they are two is refused.
      if (new Set(facts.members.map(({ id }) => id)).size < facts.members.length) return;
      const cut = drawn % facts.members.length;
      const turn = <Item>(list: readonly Item[]) => [...list.slice(cut), ...list.slice(0, cut)].toReversed();
      const turned = { ...facts, members: turn(facts.members), alarms: turn(facts.alarms) };
      const [plan, again] = [planned(moment), planned({ ...moment, facts: turned })];
      expect({ ...again, explanation: '' }).toEqual({ ...plan, explanation: '' });
    });
  });

  it('accounts for every member once, with reasons and no figure that is none', () => {
    expectAlways((moment) => {
      const plan = planned(moment);
      const all = [...plan.steps, ...plan.skipped];
      expect(new Set(all.map(({ member }) => member))).toEqual(new Set(moment.facts.members));
      expect(all).toHaveLength(moment.facts.members.length);
      for (const { reasons } of all) expect(reasons.length).toBeGreaterThanOrEqual(1);
      const words = [...all.flatMap(({ reasons }) => reasons), plan.verdict === 'refuse' ? plan.explanation : 'go'];
      for (const word of words) expect(word).toMatch(/^(?!.*(NaN|Infinity|undefined|\[object)).+$/);
    });
  });

  it('never lifts a refusal by force, but for a quota that is not known', () => {
    expectAlways((moment) => {
      const plan = planned(moment);
      const forced = planned({ ...moment, request: { ...moment.request, forceRule: true } });
      const ids = (steps: typeof plan.steps) => steps.map(({ member }) => member);
      expect(ids(forced.steps)).toEqual(expect.arrayContaining(ids(plan.steps)));
      if (plan.verdict === 'go' || plan.because === 'unknown-quota') return;
      // Another member may go first now, which is judged for itself.
      const [before, after] = [plan.steps[0], forced.steps[0]];
      const own = ['snapshot-open', 'unsafe-version', 'would-break-quorum', 'no-successor'];
      if (before?.member !== after?.member && own.includes(plan.because)) return;
      expect(forced).toMatchObject({ verdict: 'refuse' });
    });
  });

  it('lifts by accepting unsafe releases no other refusal', () => {
    expectAlways((moment) => {
      const refusing = { ...moment, request: { ...moment.request, acceptUnsafeVersion: false } };
      const plan = planned(refusing);
      const accepting = planned({ ...moment, request: { ...moment.request, acceptUnsafeVersion: true } });
      if (plan.verdict === 'refuse' && plan.because === 'unsafe-version') return;
      expect(accepting).toEqual(plan);
    });
  });

  it('takes nobody out for a fault that is added', () => {
    expectAlways((moment, drawn) => {
      const { policy, facts } = moment;
      const before = planned(moment);
      const fault = faults[drawn % faults.length];
      if (before.verdict === 'go' || fault === undefined) return;
      const struck = fault.strike(facts, policy, Math.floor(drawn / faults.length));
      const step = takenOut({ ...moment, facts: struck });
      expect(step === undefined ? 'nobody' : `${step.member.name} after: ${fault.name}`).toBe('nobody');
      tally.add('a fault beside another');
    });
  });

  // BC-09
  // BC-11
  it('ends a run that looks again before each step: every member at most once, leadership moved at most once', () => {
    expectAlways((moment) => {
      const done = new Set(moment.request.done);
      let { facts } = moment;
      let moves = 0;
      for (let taken = 0; ; taken++) {
        const step = takenOut({ ...moment, facts, request: { ...moment.request, done } });
        if (step === undefined) return;
        expect(taken).toBeLessThan(facts.members.length);
        expect(done).not.toContain(step.member.id);
        if (step.moveLeaderTo !== undefined) expect(++moves).toBe(1);
        if (taken > 0) tally.add('a further step');
        done.add(step.member.id);
        facts = carryOut(facts, step.member, step.moveLeaderTo);
      }
    });
  });

  // field: F077
  // field: F078
  // BC-15
  it('lifts NOSPACE only where it is raised, and only while every voter is well below its quota', () => {
    expectAlways(({ facts }) => {
      const found = planDisarm(facts);
      tally.add(`disarm: ${found.verdict}`);
      if (found.verdict === 'refuse' || found.alarms.length === 0) return;
      tally.add('disarm: lifted');
      for (const { memberId, type } of found.alarms) {
        expect(facts.alarms).toContainEqual({ memberId, type: 'NOSPACE' });
        expect(type).toBe('NOSPACE');
      }
      for (const { answer, quota } of votersOf(facts)) {
        expect(quota.kind).not.toBe('unknown');
        if (quota.kind === 'limited') expect((answer?.dbSizeBytes ?? Infinity) / quota.bytes).toBeLessThan(0.9);
      }
      const [first, ...others] = facts.members;
      const answer = first?.answer && { ...first.answer, dbSizeBytes: 7.3 * GiB };
      const fuller = first ? [{ ...first, answer }, ...others] : [];
      if (first?.quota.kind === 'limited') expect(planDisarm({ ...facts, members: fuller }).verdict).toBe('refuse');
    });
  });

  afterAll(() => console.log(`${moments} moments: ${tally.toString()}`));
});

/** As it would be seen after the step went well. */
function carryOut(facts: ClusterFacts, hit: MemberFacts, leader: MemberFacts | undefined): ClusterFacts {
  const members = facts.members.map((one) => {
    const { answer } = one;
    if (answer === undefined) return one;
    const dbSizeBytes = one.id === hit.id ? answer.inUseBytes : answer.dbSizeBytes;
    return { ...one, answer: { ...answer, dbSizeBytes, leaderId: leader?.id ?? answer.leaderId } };
  });
  return { ...facts, members };
}

const expected = [
  ['go', 'nothing to do', 'follower', 'leader', 'single', 'moved', 'emergency', 'a further step'],
  ['single-member', 'no-leader', 'split-view', 'unstarted-member', 'unreachable-voter', 'corrupt-alarm'],
  ['defrag-running', 'lagging-voter', 'snapshot-open', 'activity-unknown', 'would-break-quorum', 'unsafe-version'],
  ['no-recent-backup', 'unknown-quota', 'a fault beside another'],
  ['learner', 'defragmented in this run', 'not asked for', 'never started', 'did not answer', 'not told'],
  ['nothing of', 'less than minReclaim', 'not compacted', 'cooldown', 'cannot be told', 'never holds', 'is not above'],
  ['disarm: go', 'disarm: refuse', 'disarm: lifted'],
].flat();

describe('the properties above', () => {
  it('were tried on at least 100,000 moments', () => {
    expect(moments).toBeGreaterThanOrEqual(100_000);
  });

  it.each(expected)('met often enough: %s', (name) => {
    expect(tally.count(name)).toBeGreaterThanOrEqual(200);
  });

  it('never met what only a defect in the order of steps could bring about', () => {
    expect(tally.count('no-successor')).toBe(0);
    expect(tally.toString()).not.toContain('unknown: ');
  });
});
