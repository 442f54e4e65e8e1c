import { isSound } from './doubts.ts';
import type { BackupFacts } from './facts.ts';
import { newestFirst } from './order.ts';
import { roughDuration } from './words.ts';

const dayMs = 24 * 3_600_000;

/** So many of the newest tell how far apart backups come. */
const lookedAt = 5;
const toleratedFactor = 3;

/**
 * Whether backups have stopped coming, in a sentence. Age goes on while they do not, and a rule of age would remove one
 * after the other until only `keepMin` are left.
 */
export function findPause(backups: readonly BackupFacts[], now: Date): string | undefined {
  const newest = backups
    .filter((backup) => isSound(backup, now))
    .sort(newestFirst)
    .slice(0, lookedAt);
  const [first] = newest;
  if (first === undefined || newest.length < 2) return undefined;
  const gaps = newest.slice(1).map((backup, index) => (newest[index] ?? backup).time.getTime() - backup.time.getTime());
  const longestMs = Math.max(...gaps);
  const ageMs = now.getTime() - first.time.getTime();
  if (ageMs <= Math.max(dayMs, toleratedFactor * longestMs)) return undefined;
  return `the newest backup that counts is ${roughDuration(ageMs)} old, and the last ones came at most ${roughDuration(longestMs)} apart: until a new one is there the old ones stay`;
}
