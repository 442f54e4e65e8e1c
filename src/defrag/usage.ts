import type { MemberAnswer, MemberFacts } from './facts.ts';
import type { DefragPolicy } from './policy.ts';

/** What a defragmentation would give back. Both figures are read without a lock: the one in use may be ahead. */
export function reclaimableBytes({ dbSizeBytes, inUseBytes }: MemberAnswer): number {
  return Math.max(0, dbSizeBytes - inUseBytes);
}

/** The part of its quota that the database takes; undefined where there is no quota, or no telling. */
export function usageOf({ answer, quota }: MemberFacts): number | undefined {
  return answer === undefined || quota.kind !== 'limited' ? undefined : answer.dbSizeBytes / quota.bytes;
}

/** At its quota etcd stops taking writes: close to it neither windows nor cooldown hold. */
export function isEmergency(member: MemberFacts, { emergencyUsage }: Pick<DefragPolicy, 'emergencyUsage'>): boolean {
  const usage = usageOf(member);
  return usage !== undefined && usage > emergencyUsage;
}
