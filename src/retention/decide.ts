import { credibleTime, doubtsAbout, isSound } from './doubts.ts';
import type { BackupFacts } from './facts.ts';
import { newestFirst } from './order.ts';
import { localTime } from './periods.ts';
import type { Decision } from './plan.ts';
import type { RetentionPolicy } from './policy.ts';
import { rulesOf, type Candidate } from './rules.ts';
import { findStepBack } from './went-back.ts';
import { instant } from './words.ts';

/**
 * What the rules make of each backup of one lineage, in the order given. One walk from the newest to the oldest: every
 * backup is judged by the sound ones newer than it, and only sound ones are counted. So a doubtful one stays exactly as
 * long as if it alone of the doubtful ones were sound: to find it damaged never makes it go earlier. What lies before a
 * step back of the cluster stays and counts for nothing, unless that is accepted.
 */
export function decide(
  policy: RetentionPolicy,
  backups: readonly BackupFacts[],
  now: Date,
  acceptStepBack = false,
): readonly Decision[] {
  const rules = rulesOf(policy, now);
  const walk = candidates(policy, backups, now);
  const stepBack = acceptStepBack
    ? undefined
    : findStepBack(walk.map(({ facts }) => facts).filter((facts) => isSound(facts, now)));
  const decisions = new Map<BackupFacts, Decision>();
  let isBefore = false;
  for (const candidate of walk) {
    const { facts } = candidate;
    isBefore ||= facts === stepBack?.newestBefore;
    if (isBefore) {
      const reason = `from before the cluster went back to revision ${stepBack?.toRevision}`;
      decisions.set(facts, { backup: facts, action: 'keep', reasons: [reason, ...heldBy(facts)] });
      continue;
    }
    const byRule = rules.map(({ judge }) => judge(candidate)).filter((reason) => reason !== undefined);
    const doubts = doubtsAbout(facts, now);
    decisions.set(facts, conclude(facts, byRule, doubts.join(' and '), now));
    if (doubts.length === 0) for (const { count } of rules) count(candidate);
  }
  return backups.map((facts) => decisions.get(facts)).filter((decision) => decision !== undefined);
}

function candidates(policy: RetentionPolicy, backups: readonly BackupFacts[], now: Date): readonly Candidate[] {
  return backups
    .map((facts) => {
      const time = credibleTime(facts, now);
      const { revision, id } = facts;
      return { facts, time, revision, id, localTime: localTime(time, policy.timeZone) };
    })
    .sort(newestFirst);
}

function conclude(facts: BackupFacts, byRule: readonly string[], doubt: string, now: Date): Decision {
  const held = heldBy(facts);
  const reasons = [...(doubt === '' ? byRule : despite(doubt, byRule)), ...held];
  const isKept = byRule.length > 0 || held.length > 0;
  if (isKept) return { backup: facts, action: 'keep', reasons };
  if (facts.lockedUntil !== undefined && facts.lockedUntil > now) {
    return { backup: facts, action: 'keep', reasons: [...reasons, `locked until ${instant(facts.lockedUntil)}`] };
  }
  const whyNot = doubt === '' ? 'no rule keeps it' : `${doubt}, and no rule would keep it if it were sound`;
  return { backup: facts, action: 'remove', reasons: [whyNot] };
}

function heldBy({ holds }: BackupFacts): readonly string[] {
  return holds.length > 0 ? [`held: ${holds.join(', ')}`] : [];
}

function despite(doubt: string, byRule: readonly string[]): readonly string[] {
  const counts = `${doubt}: does not count`;
  return [byRule.length > 0 ? `${counts}, but stays as long as a sound one would (${byRule.join(', ')})` : counts];
}
