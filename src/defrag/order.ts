import type { MemberFacts } from './facts.ts';
import { reclaimableBytes, usageOf } from './usage.ts';

/**
 * Fullest first, then what gives back most, then by name and id. Total, so that the order of a listing never decides
 * anything. A member without a known limit goes last: it is in no danger that is known.
 */
export function mostUrgentFirst(a: MemberFacts, b: MemberFacts): number {
  const byUsage = (usageOf(b) ?? 0) - (usageOf(a) ?? 0);
  if (byUsage !== 0) return byUsage;
  const byGain = gainOf(b) - gainOf(a);
  return byGain === 0 ? byName(a, b) : byGain;
}

export function byName(a: MemberFacts, b: MemberFacts): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function gainOf({ answer }: MemberFacts): number {
  return answer === undefined ? 0 : reclaimableBytes(answer);
}
