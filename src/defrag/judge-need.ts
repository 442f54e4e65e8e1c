import { describeCooldown } from './cooldown.ts';
import type { MemberAnswer, MemberFacts } from './facts.ts';
import { judgeRule } from './judge-rule.ts';
import type { DefragPolicy } from './policy.ts';
import { isEmergency, reclaimableBytes, usageOf } from './usage.ts';
import { measuredPercent, size } from './words.ts';

/** Whether a member is due; `unknown` where that hangs on a quota that is not known. */
export interface Need {
  readonly verdict: 'due' | 'not-due' | 'unknown';
  /** With the figures that they follow from, at least one. */
  readonly reasons: readonly string[];
}

/** By the policy alone: whatever was asked for, and whether or not it would be safe now. */
export function judgeNeed(member: MemberFacts, answer: MemberAnswer, policy: DefragPolicy, now: Date): Need {
  const nothingToGain = describeLackOfGain(member, answer, policy);
  if (nothingToGain.length > 0) return { verdict: 'not-due', reasons: nothingToGain };

  const judged = policy.rules.map((rule, index) => {
    const { outcome, words } = judgeRule(rule, answer, member.quota);
    return { outcome, reason: `rule ${index + 1}: ${words}` };
  });
  const reasonsOf = (wanted: 'holds' | 'fails' | 'unknown') =>
    judged.filter(({ outcome }) => outcome === wanted).map(({ reason }) => reason);
  const due = reasonsOf('holds');
  if (due.length > 0) {
    const cooldown = describeCooldown(member, policy, now);
    return cooldown === undefined ? { verdict: 'due', reasons: due } : { verdict: 'not-due', reasons: [cooldown] };
  }
  const unknown = reasonsOf('unknown');
  if (unknown.length > 0) return { verdict: 'unknown', reasons: unknown };
  return { verdict: 'not-due', reasons: judged.length > 0 ? reasonsOf('fails') : ['there is no rule'] };
}

/** Comes before every rule: a full database of which nothing can be given back would be due for ever. */
function describeLackOfGain(member: MemberFacts, answer: MemberAnswer, policy: DefragPolicy): readonly string[] {
  const { minReclaimBytes } = policy;
  const reclaimable = reclaimableBytes(answer);
  if (reclaimable >= minReclaimBytes && reclaimable > 0) return [];
  const lack = `${size(reclaimable)} of ${size(answer.dbSizeBytes)} reclaimable, less than minReclaim ${size(minReclaimBytes)}`;
  const reason = reclaimable > 0 ? lack : `nothing of ${size(answer.dbSizeBytes)} is reclaimable`;
  const usage = usageOf(member);
  if (usage === undefined || !isEmergency(member, policy)) return [reason];
  return [
    reason,
    `${measuredPercent(usage)} of its quota is taken and in use: if that is more than the keys need, history is not compacted, which etcd-warden never does (kube-apiserver or auto-compaction should)`,
  ];
}
