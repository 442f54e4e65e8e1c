import { lookAtActivity } from './look-at-activity.ts';
import { lookAtCluster } from './look-at-cluster.ts';
import { lookAtMember } from './look-at-member.ts';
import type { Situation } from './look.ts';
import type { DefragRefusal } from './plan.ts';

/**
 * The last look before a member stops serving: why this step must not be taken now. It judges by the facts alone and
 * believes nothing of what chose the step, so that it also catches what a defect there would do. The most basic cause
 * comes first: what follows it may be no more than its consequence.
 */
export function refuseStep(situation: Situation): DefragRefusal | undefined {
  for (const look of [...lookAtCluster, ...lookAtActivity, ...lookAtMember]) {
    const refusal = look(situation);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
