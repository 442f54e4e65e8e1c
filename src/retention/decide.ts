import { credibleTime, doubtsAbout, isSound, isStoredLate } from './doubts.ts';
import type { BackupFacts } from './facts.ts';
import { newestFirst, type Ordered } from './order.ts';
import { localTime } from './periods.ts';
import type { Decision } from './plan.ts';
import type { RetentionPolicy } from './policy.ts';
import { rulesOf, type Candidate } from './rules.ts';
import { findStepBack } from './went-back.ts';
import { instant } from './words.ts';

type Placed = Candidate & Ordered;

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
  const sound = new Set(backups.filter((facts) => isSound(facts, now)));
  const walk = backups.flatMap((facts) => candidatesOf(facts, now, policy.timeZone)).sort(newestFirst);
  const stepBack = acceptStepBack
    ? undefined
    : findStepBack(walk.map(({ facts }) => facts).filter((facts) => sound.has(facts)));
  const reasons = new Map<BackupFacts, string[]>(backups.map((facts) => [facts, []]));
  const before = new Set<BackupFacts>();
  for (const candidate of walk) {
    const { facts } = candidate;
    if (before.size > 0 || facts === stepBack?.newestBefore) {
      before.add(facts);
      continue;
    }
    reasons.get(facts)?.push(...rules.map(({ judge }) => judge(candidate)).filter((reason) => reason !== undefined));
    if (sound.has(facts)) for (const { count } of rules) count(candidate);
  }
  return backups.map((facts) => {
    if (!before.has(facts)) return conclude(facts, [...new Set(reasons.get(facts))], now);
    const reason = `from before the cluster went back to revision ${stepBack?.toRevision}`;
    return { backup: facts, action: 'keep', reasons: [reason, ...heldBy(facts)] };
  });
}

/**
 * Its place on the walk. One that was stored late has two, and stays where either keeps it: it may be a copy, whose date is
 * right, or a backup of a machine whose clock was behind.
 */
function candidatesOf(facts: BackupFacts, now: Date, timeZone: string): readonly Placed[] {
  const { revision, id, storedAt } = facts;
  const date = credibleTime(facts, now);
  const times = isStoredLate(facts) ? [date, storedAt] : [date];
  return times.map((time) => ({ facts, time, revision, id, localTime: localTime(time, timeZone) }));
}

function conclude(facts: BackupFacts, byRule: readonly string[], now: Date): Decision {
  const doubt = doubtsAbout(facts, now).join(' and ');
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
