import { decide } from './decide.ts';
import { isSound } from './doubts.ts';
import type { BackupFacts, RetentionFacts } from './facts.ts';
import { chooseLineage, type ChosenLineage } from './lineage.ts';
import type { Acceptance, Decision, Refusal, RetentionPlan } from './plan.ts';
import { findPolicyFault } from './policy-fault.ts';
import type { RetentionPolicy } from './policy.ts';
import { refuseClockBehind, refuseDecisions } from './refusals.ts';

export interface PlanOptions {
  readonly accepted?: ReadonlySet<Acceptance>;
}

/**
 * Which backups of one lineage stay and which go, each with its reasons, and whether that may be carried out. Pure: the
 * same facts give the same plan, in whatever order they are listed. Never throws; a policy that says nothing sensible
 * removes nothing.
 */
export function planRetention(
  policy: RetentionPolicy,
  facts: RetentionFacts,
  { accepted = new Set() }: PlanOptions = {},
): RetentionPlan {
  const chosen = chooseLineage(facts);
  if (chosen === undefined) return { lineage: undefined, decisions: [], counted: 0, verdict: 'go' };
  if (chosen.backups.length === 0) return { lineage: chosen.lineage, decisions: [], counted: 0, verdict: 'go' };

  const fault = findPolicyFault(policy);
  const acceptStepBack = accepted.has('revision-went-back');
  const decideAt = (backups: readonly BackupFacts[], now: Date): readonly Decision[] =>
    decide(policy, backups, now, acceptStepBack);
  const decisions = fault === undefined ? decideAt(chosen.backups, facts.now) : keepEverything(chosen);
  // The most basic cause first: what follows it may be no more than its consequence.
  const refusal =
    refuseFault(fault) ??
    refuseClockBehind(chosen.backups, facts.now) ??
    refuseAmbiguity(chosen) ??
    refuseDecisions(decisions, policy, facts, { accepted, decideAt });
  const counted = chosen.backups.filter((backup) => isSound(backup, facts.now)).length;
  const plan = { lineage: chosen.lineage, decisions, counted };
  return refusal === undefined ? { ...plan, verdict: 'go' } : { ...plan, verdict: 'refuse', ...refusal };
}

function keepEverything({ backups }: ChosenLineage): readonly Decision[] {
  return backups.map((backup) => ({ backup, action: 'keep', reasons: ['nothing is removed under such a policy'] }));
}

function refuseFault(fault: string | undefined): Refusal | undefined {
  return fault === undefined ? undefined : { because: 'empty-policy', explanation: fault };
}

function refuseAmbiguity({ ambiguity }: ChosenLineage): Refusal | undefined {
  return ambiguity === undefined ? undefined : { because: 'other-lineage', explanation: ambiguity };
}
