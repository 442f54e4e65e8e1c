import type { RetentionPlan } from '../../src/retention/plan.ts';

/** What happened in all plans together, so that no property can hold merely because nothing ever happened. */
export class Tally {
  readonly #counts = new Map<string, number>();

  note(plan: RetentionPlan): RetentionPlan {
    this.#add(plan.verdict === 'go' ? 'go' : plan.because);
    for (const { action, reasons } of plan.decisions) {
      this.#add(action);
      for (const reason of reasons) this.#add(kindOf(reason));
    }
    return plan;
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Counts of those that happened, most frequent first. */
  toString(): string {
    const sorted = [...this.#counts].sort(([, a], [, b]) => b - a);
    return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
  }

  #add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
  }
}

/** `day 2026-11-25` is of the kind `day`; what is said of a doubt is one kind for each outcome. */
function kindOf(reason: string): string {
  if (reason.includes('as long as a sound one would')) return 'doubtful, stays';
  if (reason.includes('if it were sound')) return 'doubtful, goes';
  if (reason.endsWith('does not count')) return 'doubtful, stays for another reason';
  const words =
    /^(newest read back|newest drilled|newest|among|younger|hour|day|week|month|year|one of|held|locked|no rule|nothing|from before)/;
  return words.exec(reason)?.[0] ?? `unknown: ${reason}`;
}
