import type { MemberFacts } from './facts.ts';
import { reclaimableBytes, usageOf } from './usage.ts';

/** Databases of one cluster differ by pages all the time; that must not make every plan another one. */
const usageStep = 0.01;
const gainStepBytes = 64 * 1024 * 1024;

/**
 * Fullest first, then what gives back most, both coarsely, then by name and id. Total, so that the order of a listing never
 * decides anything. A member without a known limit goes last: it is in no danger that is known.
 */
export function mostUrgentFirst(a: MemberFacts, b: MemberFacts): number {
  const byUsage = fullness(b) - fullness(a);
  if (byUsage !== 0) return byUsage;
  const byGain = gainOf(b) - gainOf(a);
  return byGain === 0 ? byName(a, b) : byGain;
}

export function byName(a: MemberFacts, b: MemberFacts): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function fullness(member: MemberFacts): number {
  return Math.round((usageOf(member) ?? 0) / usageStep);
}

function gainOf({ answer }: MemberFacts): number {
  return answer === undefined ? 0 : Math.round(reclaimableBytes(answer) / gainStepBytes);
}
