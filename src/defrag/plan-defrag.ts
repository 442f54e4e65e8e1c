import type { ClusterFacts, MemberAnswer, MemberFacts } from './facts.ts';
import { judgeMember } from './judge-member.ts';
import { lookForCorruption } from './look-at-cluster.ts';
import { mostUrgentFirst } from './order.ts';
import type { DefragPlan, DefragRefusal, DefragStep, SkippedMember } from './plan.ts';
import type { DefragPolicy } from './policy.ts';
import { refuseStep } from './refuse-step.ts';
import type { DefragRequest } from './request.ts';
import { chooseSuccessor } from './successor.ts';
import { isEmergency, reclaimableBytes } from './usage.ts';
import { isLeader, votersOf } from './voters.ts';
import { enumerate, nameOf } from './words.ts';

/**
 * Which members are defragmented, in which order, and whether the first of them may be now. Pure: the same facts give
 * the same plan, in whatever order they are listed. Never throws. Carry out the first step only, then look and plan
 * again: a later step is a forecast, and its safety is judged when it comes first.
 */
export function planDefrag(policy: DefragPolicy, facts: ClusterFacts, request: DefragRequest): DefragPlan {
  const due: DueMember[] = [];
  const skipped: SkippedMember[] = [];
  const silent: SkippedMember[] = [];
  const unjudged: SkippedMember[] = [];
  for (const member of facts.members.toSorted(mostUrgentFirst)) {
    const judged = judgeMember(member, policy, facts, request);
    const { reasons } = judged;
    if (judged.verdict === 'due') due.push({ member, answer: judged.answer, reasons });
    else skipped.push({ member, reasons });
    if (judged.verdict === 'silent') silent.push({ member, reasons });
    if (judged.verdict === 'unknown-quota') unjudged.push({ member, reasons });
  }
  const steps = orderSteps(due, policy, facts, request);
  const [first] = steps;
  // A corrupt cluster must not pass for one that is well because nothing is due.
  const unsafe =
    first === undefined ? lookForCorruption({ facts }) : refuseStep({ step: first, policy, facts, request });
  const refusal = unsafe ?? refuseSilent(silent) ?? refuseUnjudged(unjudged);
  return refusal === undefined ? { steps, skipped, verdict: 'go' } : { steps, skipped, verdict: 'refuse', ...refusal };
}

interface DueMember {
  readonly member: MemberFacts;
  readonly answer: MemberAnswer;
  readonly reasons: readonly string[];
}

/** The leader last: whatever goes wrong before, it has gone wrong where it costs least. */
function orderSteps(
  due: readonly DueMember[],
  policy: DefragPolicy,
  facts: ClusterFacts,
  { done }: DefragRequest,
): readonly DefragStep[] {
  const isSingle = votersOf(facts).length === 1;
  const leaders = due.filter(({ member }) => isLeader(member, facts));
  const followers = due.filter((one) => !leaders.includes(one));
  const planned = new Set(followers.map(({ member }) => member.id));
  return [...followers, ...leaders].map(({ member, answer, reasons }) => {
    const role = isSingle ? 'single' : isLeader(member, facts) ? 'leader' : 'follower';
    const handsOver = role === 'leader' && policy.moveLeader;
    return {
      member,
      role,
      moveLeaderTo: handsOver ? chooseSuccessor(policy, facts, { done, planned }) : undefined,
      reasons,
      predictedReclaimBytes: reclaimableBytes(answer),
      isEmergency: isEmergency(member, policy),
    };
  });
}

/** One that never answers would never be defragmented, and nobody would be told. */
function refuseSilent(silent: readonly SkippedMember[]): DefragRefusal | undefined {
  if (silent.length === 0) return undefined;
  const members = silent.map(({ member, reasons }) => `${nameOf(member)} (${reasons.join('; ')})`);
  return { because: 'unreachable-voter', explanation: `whether it is due cannot be told of ${enumerate(members)}` };
}

/** Rules that say nothing of a member are not rules that say no: it may be about to reach its quota. */
function refuseUnjudged(unjudged: readonly SkippedMember[]): DefragRefusal | undefined {
  if (unjudged.length === 0) return undefined;
  const members = unjudged.map(({ member, reasons }) => `${nameOf(member)} (${reasons.join('; ')})`);
  return {
    because: 'unknown-quota',
    explanation: `whether it is due cannot be told of ${enumerate(members)}: set cluster.quota, or cluster.metrics to where the members serve /metrics`,
  };
}
