import type { BackupFacts, RetentionFacts } from './facts.ts';
import type { RetentionPolicy } from './policy.ts';
import { backupCount } from './words.ts';

const dayMs = 24 * 3_600_000;

/** Runs by hand and a catch-up after an outage are ordinary; a flood that pushes a history out is far beyond this. */
const toleratedFactor = 3;
const toleratedExtra = 10;

type Expectation = Pick<RetentionFacts, 'now' | 'expectedPerDay'>;

/**
 * Whether more backups were stored within the last 24 hours than schedule or history explain, in a sentence. Whoever
 * may only add objects could otherwise let our own rules remove the history, by adding backups that look sound.
 */
export function findUnexplainedArrivals(
  backups: readonly BackupFacts[],
  policy: RetentionPolicy,
  { now, expectedPerDay }: Expectation,
): string | undefined {
  const perDay = countByDay(backups, now);
  const arrived = perDay.get(0) ?? 0;
  perDay.delete(0);
  const expected = expectedPerDay ?? expectFromHistory(perDay, arrived, policy);
  if (expected === undefined || arrived <= toleratedFactor * expected + toleratedExtra) return undefined;
  const known = expectedPerDay === undefined ? 'earlier days brought' : 'the schedule brings';
  return `${backupCount(arrived)} came within the last 24 h, more than ${toleratedFactor} times the ${expected} a day that ${known}, and ${toleratedExtra}`;
}

/** Day 0 is the 24 hours before now and whatever the clock of the store puts after it. */
function countByDay(backups: readonly BackupFacts[], now: Date): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { storedAt } of backups) {
    const age = Math.max(0, Math.floor((now.getTime() - storedAt.getTime()) / dayMs));
    counts.set(age, (counts.get(age) ?? 0) + 1);
  }
  return counts;
}

/**
 * The most that any earlier day brought, as far as the policy leaves a day whole long enough to compare with; undefined
 * where it thins them sooner, because then the past always looks quieter than it was.
 */
function expectFromHistory(
  earlier: ReadonlyMap<number, number>,
  arrived: number,
  { keepLast, keepWithinMs }: RetentionPolicy,
): number | undefined {
  const leavesDaysWhole = keepWithinMs >= 2 * dayMs || keepLast >= 2 * arrived;
  return earlier.size === 0 || !leavesDaysWhole ? undefined : Math.max(...earlier.values());
}
