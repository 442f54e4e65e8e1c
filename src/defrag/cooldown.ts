import type { MemberFacts } from './facts.ts';
import type { DefragPolicy } from './policy.ts';
import { exactDuration, roughDuration } from './words.ts';
import { isEmergency } from './usage.ts';

/**
 * Doubled for each failure in a row, so an hour after the first one: a defragmentation that outlives its limit, or that
 * costs the member its leadership, would else be begun again and again, in an emergency most of all.
 */
const leastAfterFailureMs = 30 * 60_000;
const mostDoublings = 5;

/** Why the member rests still, in words; undefined where it may be defragmented again. */
export function describeCooldown(
  member: MemberFacts,
  policy: Pick<DefragPolicy, 'cooldownMs' | 'emergencyUsage'>,
  now: Date,
): string | undefined {
  const { lastDefrag } = member;
  if (lastDefrag === undefined) return undefined;
  const { at, failures, beforeBytes, afterBytes } = lastDefrag;
  // What gave nothing back will give nothing back an hour later, however full the member is.
  const wasInVain = afterBytes !== undefined && afterBytes >= beforeBytes;
  const restMs = restAfter(failures, isEmergency(member, policy) && !wasInVain ? 0 : policy.cooldownMs);
  // Either way round: a record that a wrong clock dated far ahead must not hold for as long.
  const agoMs = Math.abs(now.getTime() - at.getTime());
  if (agoMs >= restMs) return undefined;
  if (failures === 0) return `defragmented ${roughDuration(agoMs)} ago, cooldown ${exactDuration(restMs)}`;
  const attempts = failures === 1 ? 'the last attempt failed' : `the last ${failures} attempts failed`;
  return `${attempts}, ${roughDuration(agoMs)} ago: cooldown ${exactDuration(restMs)}`;
}

function restAfter(failures: number, cooldownMs: number): number {
  if (failures <= 0) return cooldownMs;
  return Math.max(cooldownMs, leastAfterFailureMs) * 2 ** Math.min(failures, mostDoublings);
}
