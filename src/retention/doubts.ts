import type { BackupFacts } from './facts.ts';
import { roughDuration } from './words.ts';

/** How far the clocks of writer, store and pruner may differ before a date is taken for wrong. */
const clockToleranceMs = 5 * 60_000;

/** A snapshot is stored while it is streamed: a manifest that came a day before or after its date belongs to another one. */
const storedWithinMs = 24 * 3_600_000;

/**
 * Why a backup must not count; empty for a sound one. What does not count can push nothing out: neither a series of
 * damaged backups nor somebody who may only add objects, with whatever dates, makes a sound backup go earlier.
 */
export function doubtsAbout(backup: BackupFacts, now: Date): readonly string[] {
  const { state, time, storedAt } = backup;
  const doubts: string[] = [];
  if (state === 'damaged') doubts.push('damaged');
  const storedLateMs = storedAt.getTime() - time.getTime();
  if (isLaterThan(time, now)) doubts.push('dated in the future');
  // The future becomes the past: without this, its date would be believed once that day has come.
  else if (-storedLateMs > storedWithinMs) doubts.push(`dated ${roughDuration(-storedLateMs)} after it was stored`);
  if (isStoredLate(backup)) doubts.push(`stored ${roughDuration(storedLateMs)} after its date`);
  return doubts;
}

export function isSound(backup: BackupFacts, now: Date): boolean {
  return doubtsAbout(backup, now).length === 0;
}

/** A copy, or a backup of a machine whose clock was behind: by the listing they are not to be told apart. */
export function isStoredLate({ time, storedAt }: BackupFacts): boolean {
  return storedAt.getTime() - time.getTime() > storedWithinMs;
}

/** When it was taken at the latest: it cannot be younger than its own manifest. */
export function credibleTime({ time, storedAt }: BackupFacts, now: Date): Date {
  const isMisdated = isLaterThan(time, now) || time.getTime() - storedAt.getTime() > storedWithinMs;
  return isMisdated && storedAt < time ? storedAt : time;
}

/** Beyond what clocks may differ by. */
export function isLaterThan(time: Date, now: Date): boolean {
  return time.getTime() > now.getTime() + clockToleranceMs;
}
