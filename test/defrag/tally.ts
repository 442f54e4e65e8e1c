import type { DefragPlan } from '../../src/defrag/plan.ts';

/** What happened in all plans together, so that no property can hold merely because nothing ever happened. */
export class Tally {
  readonly #counts = new Map<string, number>();

  note(plan: DefragPlan): DefragPlan {
    const { steps, skipped } = plan;
    this.add(plan.verdict === 'refuse' ? plan.because : steps.length > 0 ? 'go' : 'nothing to do');
    for (const { role, moveLeaderTo, isEmergency } of steps) {
      this.add(role);
      if (moveLeaderTo !== undefined) this.add('moved');
      if (isEmergency) this.add('emergency');
    }
    for (const { reasons } of skipped) for (const reason of reasons) this.add(kindOf(reason));
    return plan;
  }

  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Counts of those that happened, most frequent first. */
  toString(): string {
    const sorted = [...this.#counts].sort(([, a], [, b]) => b - a);
    return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
  }
}

const kinds =
  /learner|defragmented in this run|not asked for|never started|did not answer|not told|nothing of|less than minReclaim|not compacted|cooldown|cannot be told|never holds|is not above/;

function kindOf(reason: string): string {
  return kinds.exec(reason)?.[0] ?? `unknown: ${reason}`;
}
