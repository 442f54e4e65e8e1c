import { decide } from './decide.ts';
import type { RetentionFacts } from './facts.ts';
import { chooseLineage, type ChosenLineage } from './lineage.ts';
import type { Decision, Refusal, RetentionPlan } from './plan.ts';
import { findPolicyFault } from './policy-fault.ts';
import type { RetentionPolicy } from './policy.ts';
import { refuseClockBehind, refuseDecisions } from './refusals.ts';

export interface PlanOptions {
  /** The operator knows where an unusual number of new backups comes from. */
  readonly acceptUnexplained?: boolean;
}

/**
 * Which backups of one lineage stay and which go, each with its reasons, and whether that may be carried out. Pure: the
 * same facts give the same plan, in whatever order they are listed. Never throws; a policy that says nothing sensible
 * removes nothing.
 */
export function planRetention(
  policy: RetentionPolicy,
  facts: RetentionFacts,
  { acceptUnexplained = false }: PlanOptions = {},
): RetentionPlan {
  const chosen = chooseLineage(facts);
  if (chosen === undefined) return { lineage: undefined, decisions: [], verdict: 'go' };
  if (chosen.backups.length === 0) return { lineage: chosen.lineage, decisions: [], verdict: 'go' };

  const fault = findPolicyFault(policy);
  const decisions = fault === undefined ? decide(policy, chosen.backups, facts.now) : keepEverything(chosen);
  // The most basic cause first: what follows it may be no more than its consequence.
  const refusal =
    refuseFault(fault) ??
    refuseClockBehind(chosen.backups, facts.now) ??
    refuseAmbiguity(chosen) ??
    refuseDecisions(decisions, policy, facts, acceptUnexplained);
  const plan = { lineage: chosen.lineage, decisions };
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
