import type { ClusterFacts, MemberAnswer, MemberFacts } from './facts.ts';
import { judgeNeed } from './judge-need.ts';
import type { DefragPolicy } from './policy.ts';
import { isAskedFor, type DefragRequest } from './request.ts';
import { isEmergency, reclaimableBytes } from './usage.ts';
import { size } from './words.ts';

/** What a run would do about a member: defragment it, pass it by, or be stuck for want of its answer or its quota. */
export type MemberVerdict =
  | { readonly verdict: 'due'; readonly answer: MemberAnswer; readonly reasons: readonly string[] }
  | { readonly verdict: 'skip' | 'silent' | 'unknown-quota'; readonly reasons: readonly string[] };

export function judgeMember(
  member: MemberFacts,
  policy: DefragPolicy,
  { now, members }: ClusterFacts,
  { only, forceRule, isOutsideWindow = false, done }: DefragRequest,
): MemberVerdict {
  if (member.isLearner) return skip('learner: refuses to be defragmented');
  if (done.has(member.id)) return skip('defragmented in this run');
  if (!isAskedFor(member, members, only)) return skip(`not asked for: only ${only} is`);
  if (member.isUnstarted) return skip('was added and never started');
  const { answer } = member;
  if (answer === undefined) {
    return { verdict: 'silent', reasons: [`did not answer: ${member.unreachableBecause ?? 'no reason is known'}`] };
  }
  if (answer.inUseBytes === 0 && answer.dbSizeBytes > 0) {
    return skip('sizes in use are not told: nothing can be predicted');
  }
  if (forceRule) {
    const figures = `${size(reclaimableBytes(answer))} of ${size(answer.dbSizeBytes)} reclaimable`;
    return { verdict: 'due', answer, reasons: [`asked for whatever the rules say: ${figures}`] };
  }
  const { verdict, reasons } = judgeNeed(member, answer, policy, now);
  if (verdict === 'due' && isOutsideWindow && !isEmergency(member, policy)) {
    return { verdict: 'skip', reasons: [...reasons, 'due, but no window is open now'] };
  }
  if (verdict === 'due') return { verdict, answer, reasons };
  return { verdict: verdict === 'unknown' ? 'unknown-quota' : 'skip', reasons };
}

function skip(reason: string): MemberVerdict {
  return { verdict: 'skip', reasons: [reason] };
}
