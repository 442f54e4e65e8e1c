import { isLaterThan } from './doubts.ts';
import type { BackupFacts } from './facts.ts';

/**
 * The time by which ages are reckoned: that of this machine, unless the backup that was stored last shows that clocks here
 * run ahead of the store's. It cannot have been taken after it was stored, so by as much every backup only looks older.
 */
export function believableNow(now: Date, backups: readonly BackupFacts[]): Date {
  const last = backups.reduce<BackupFacts | undefined>(
    (newest, backup) => (newest === undefined || backup.storedAt > newest.storedAt ? backup : newest),
    undefined,
  );
  if (last === undefined || !isLaterThan(last.time, last.storedAt)) return now;
  const aheadMs = last.time.getTime() - last.storedAt.getTime();
  const corrected = new Date(now.getTime() - aheadMs);
  // Where only its writer's clock was wrong, it is not earlier now than when it was stored.
  return corrected > last.storedAt ? corrected : last.storedAt > now ? now : last.storedAt;
}
