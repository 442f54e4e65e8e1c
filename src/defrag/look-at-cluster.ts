import type { MemberFacts } from './facts.ts';
import type { Look, Situation } from './look.ts';
import type { DefragRefusal } from './plan.ts';
import { describeSplitView } from './split-view.ts';
import { answeringVoters, hasAnswered, isCaughtUp, lagOf, votersOf } from './voters.ts';
import { enumerate, hexId, nameOf, nameOfId } from './words.ts';

/** How long a defragmentation may take on a slow disk: a minute and 10 MB/s. */
const leastWorkMs = 60_000;
const slowBytesPerMs = 10_000;

const lookForSingleMember: Look = ({ facts, policy }) => {
  const [voter, another] = votersOf(facts);
  if (voter === undefined || another !== undefined || policy.allowSingleMember) return undefined;
  return {
    because: 'single-member',
    explanation: `${nameOf(voter)} is the only voter: the cluster serves nothing while it is defragmented, and defrag.allowSingleMember does not allow that`,
  };
};

/** A member that is cut off still answers for itself: only a read that needs a majority proves that there is one. */
const lookForLeader: Look = ({ facts }) => {
  const leaderless = answeringVoters(facts).filter(({ answer }) => answer.leaderId === 0n);
  const causes = [
    ...(leaderless.length > 0 ? [`no leader is known to ${enumerate(leaderless.map(nameOf))}`] : []),
    ...(facts.noQuorumBecause === undefined ? [] : [`no linearizable read went through: ${facts.noQuorumBecause}`]),
  ];
  return causes.length === 0 ? undefined : { because: 'no-leader', explanation: causes.join('; ') };
};

const lookForSplitView: Look = ({ facts }) => {
  const explanation = describeSplitView(facts);
  return explanation === undefined ? undefined : { because: 'split-view', explanation };
};

const lookForUnstartedMembers: Look = ({ facts }) => {
  const unstarted = votersOf(facts).filter(({ isUnstarted }) => isUnstarted);
  if (unstarted.length === 0) return undefined;
  return {
    because: 'unstarted-member',
    explanation: `added to the cluster and never started: ${enumerate(unstarted.map(nameOf))}; until then a vote that counts is missing`,
  };
};

const lookForUnreachableVoters: Look = ({ facts }) => {
  const unreachable = votersOf(facts).filter((voter) => !hasAnswered(voter));
  if (unreachable.length === 0) return undefined;
  const causes = unreachable.map((voter) => `${nameOf(voter)} (${voter.unreachableBecause ?? 'no reason is known'})`);
  return { because: 'unreachable-voter', explanation: `no answer from ${enumerate(causes)}` };
};

/** What a voter says of itself may be older than its last word with the others: a read that needs them is not. */
const lookForCutOffVoters: Look = ({ facts }) => {
  const cutOff = votersOf(facts).filter(({ cutOffBecause }) => cutOffBecause !== undefined);
  if (cutOff.length === 0) return undefined;
  const causes = cutOff.map((voter) => `${nameOf(voter)} (${voter.cutOffBecause})`);
  return { because: 'unreachable-voter', explanation: `no linearizable read goes through ${enumerate(causes)}` };
};

/** NOSPACE does not count: a defragmentation is its cure. One that we do not know may be as bad as CORRUPT. */
export const lookForCorruption = ({ facts }: Pick<Situation, 'facts'>): DefragRefusal | undefined => {
  const grave = facts.alarms.filter(({ type }) => type !== 'NOSPACE');
  if (grave.length === 0) return undefined;
  const alarms = grave.map(({ memberId, type }) => `${type} of ${nameOfId(memberId, facts.members)}`);
  return {
    because: 'corrupt-alarm',
    explanation: `raised: ${enumerate(alarms.sort())}; while members may differ, a good one must not be taken out`,
  };
};

/** Whoever started it: a second member that stops serving may cost the majority. */
const lookForDefragmentation: Look = ({ facts }) => {
  const busy = facts.members.filter((member) => isBusy(member, facts.now));
  if (busy.length === 0) return undefined;
  return { because: 'defrag-running', explanation: `being defragmented already: ${enumerate(busy.map(nameOf))}` };
};

/** Where the member's metrics do not tell, an earlier run that was not seen to end may still be at work. */
function isBusy({ activity, lastDefrag }: MemberFacts, now: Date): boolean {
  if (activity.kind === 'seen') return activity.isDefragmenting;
  if (lastDefrag === undefined || lastDefrag.afterBytes !== undefined) return false;
  // Either way round: clocks differ. A run waits for as long as its call may take, and once more as long.
  const agoMs = Math.abs(now.getTime() - lastDefrag.at.getTime());
  return agoMs < 2 * (leastWorkMs + lastDefrag.beforeBytes / slowBytesPerMs);
}

const lookForLag: Look = ({ facts, policy }) => {
  const lagging = answeringVoters(facts).filter((voter) => !isCaughtUp(voter, facts, policy));
  if (lagging.length === 0) return undefined;
  const lags = lagging.map((voter) => `${nameOf(voter)} is ${lagOf(voter, facts)}`);
  return {
    because: 'lagging-voter',
    explanation: `${enumerate(lags)} entries behind the furthest voter, more than maxRaftLag ${policy.maxRaftLag}`,
  };
};

/** Whoever chose the step: a learner, a stranger or a silent member is not defragmented. */
const lookForVoter: Look = ({ step, facts }) => {
  const { member } = step;
  const listed = votersOf(facts).find(({ id }) => id === member.id);
  if (listed === undefined || member.id === 0n) {
    return { because: 'split-view', explanation: `${nameOf(member)} (${hexId(member.id)}) is not a listed voter` };
  }
  if (hasAnswered(listed)) return undefined;
  return { because: 'unreachable-voter', explanation: `no answer from ${nameOf(member)}` };
};

/** What would make it unsafe to take any member out. */
export const lookAtCluster: readonly Look[] = [
  // A member at work does not answer, and must not be taken for one that is down.
  lookForDefragmentation,
  lookForLeader,
  // Of three members behind one address only one is seen.
  lookForSplitView,
  lookForSingleMember,
  lookForUnstartedMembers,
  lookForUnreachableVoters,
  lookForCutOffVoters,
  lookForVoter,
  lookForCorruption,
  lookForLag,
];
