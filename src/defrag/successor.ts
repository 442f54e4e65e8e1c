import type { ClusterFacts, MemberFacts } from './facts.ts';
import { judgeNeed } from './judge-need.ts';
import { byName } from './order.ts';
import type { DefragPolicy } from './policy.ts';
import { hasAnswered, isCaughtUp, isLeader, votersOf, type AnsweringMember } from './voters.ts';

/** Who is finished by the time that the leader's turn comes, by id. */
export interface Progress {
  readonly done: ReadonlySet<bigint>;
  /** Followers whose steps come first. */
  readonly planned: ReadonlySet<bigint>;
}

/**
 * The voter that best takes over from the leader: one that needs no defragmentation afterwards, or leadership would be
 * moved twice; then one without NOSPACE. All that are fit have caught up, so the name decides between them: a few entries more
 * or less would make every plan another one. undefined where none is fit.
 */
export function chooseSuccessor(
  policy: DefragPolicy,
  facts: ClusterFacts,
  progress: Progress,
): MemberFacts | undefined {
  return (
    votersOf(facts)
      .filter(hasAnswered)
      // Not itself, nor another one that some voters take for the leader.
      .filter((member) => !isLeader(member, facts) && isFitToLead(member, facts, policy))
      .map((member) => ({
        member,
        standing: standingOf(member, policy, facts.now, progress),
        alarms: facts.alarms.filter(({ memberId }) => memberId === member.id).length,
      }))
      .sort((a, b) => a.standing - b.standing || a.alarms - b.alarms || byName(a.member, b.member))[0]?.member
  );
}

/**
 * NOSPACE does not keep it from leading: the alarm stops all writes of the cluster, whoever leads, and it can only be
 * lifted once the old leader is defragmented too.
 */
export function isFitToLead(
  member: MemberFacts,
  facts: ClusterFacts,
  policy: Pick<DefragPolicy, 'maxRaftLag'>,
): boolean {
  const isDoubted = facts.alarms.some(({ memberId, type }) => memberId === member.id && type !== 'NOSPACE');
  return !member.isLearner && member.id !== 0n && !isDoubted && isCaughtUp(member, facts, policy);
}

/** The lower, the better. One that is due but was not asked for serves as well, only not as long. */
function standingOf(member: AnsweringMember, policy: DefragPolicy, now: Date, { done, planned }: Progress): number {
  if (done.has(member.id)) return 0;
  if (planned.has(member.id)) return 1;
  return judgeNeed(member, member.answer, policy, now).verdict === 'not-due' ? 2 : 3;
}
