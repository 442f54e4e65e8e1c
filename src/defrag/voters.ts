import type { ClusterFacts, MemberAnswer, MemberFacts } from './facts.ts';
import type { DefragPolicy } from './policy.ts';

type Members = Pick<ClusterFacts, 'members'>;

export interface AnsweringMember extends MemberFacts {
  readonly answer: MemberAnswer;
}

/** Those whose votes make a majority: unstarted and unreachable ones count in it too. */
export function votersOf({ members }: Members): readonly MemberFacts[] {
  return members.filter(({ isLearner }) => !isLearner);
}

export function answeringVoters(facts: Members): readonly AnsweringMember[] {
  return votersOf(facts).filter(hasAnswered);
}

export function hasAnswered(member: MemberFacts): member is AnsweringMember {
  return member.answer !== undefined;
}

/** Whether any voter takes it for the leader: where they disagree, more than one is. */
export function isLeader({ id }: MemberFacts, facts: Members): boolean {
  return id !== 0n && answeringVoters(facts).some(({ answer }) => answer.leaderId === id);
}

/** Votes that are needed for anything to be decided. */
export function majorityOf(facts: Members): number {
  return Math.floor(votersOf(facts).length / 2) + 1;
}

/** How many entries it is behind the furthest voter, by what it holds or by what it has applied, whichever is further. */
export function lagOf({ answer }: AnsweringMember, facts: Members): bigint {
  const behind = answeringVoters(facts).flatMap((voter) => {
    const { raftIndex } = voter.answer;
    return [raftIndex - answer.raftIndex, raftIndex - answer.raftAppliedIndex];
  });
  return behind.reduce((most, lag) => (lag > most ? lag : most), 0n);
}

export function isCaughtUp(member: MemberFacts, facts: Members, policy: Pick<DefragPolicy, 'maxRaftLag'>): boolean {
  return hasAnswered(member) && lagOf(member, facts) <= policy.maxRaftLag;
}
