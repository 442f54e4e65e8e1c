import { planDisarm } from '../defrag/plan-disarm.ts';
import { describeThrown } from '../errors/warden-error.ts';
import type { Log } from '../ports/log.ts';
import type { ClusterLook } from './look.ts';

export interface Disarmed {
  /** Ids of the members whose NOSPACE alarm was lifted. */
  readonly memberIds: readonly bigint[];
  /** Why an alarm that is raised stays. */
  readonly stays: string | undefined;
}

/** Lifts NOSPACE where the sizes allow it: each alarm by itself, as it was read, and no other kind. Never rejects. */
export async function disarmNospace(look: ClusterLook, log: Log, signal: AbortSignal): Promise<Disarmed> {
  const plan = planDisarm(look.facts);
  if (plan.verdict === 'refuse') {
    log.warn('the alarm NOSPACE stays', { reason: plan.explanation });
    return { memberIds: [], stays: plan.explanation };
  }
  const speaker = look.facts.members.find((member) => !member.isLearner && member.answer !== undefined);
  const memberIds: bigint[] = [];
  if (speaker === undefined) return { memberIds, stays: undefined };
  for (const alarm of plan.alarms) {
    try {
      await look.clientOf(speaker).disarm(alarm, signal);
      memberIds.push(alarm.memberId);
      log.info('alarm NOSPACE lifted', { member: alarm.memberId.toString(16) });
    } catch (error) {
      const reason = describeThrown(error);
      log.warn('the alarm NOSPACE could not be lifted', { member: alarm.memberId.toString(16), reason });
      return { memberIds, stays: reason };
    }
  }
  return { memberIds, stays: undefined };
}
