import { findUnexplainedArrivals } from './arrivals.ts';
import { isLaterThan, isSound } from './doubts.ts';
import type { BackupFacts, RetentionFacts } from './facts.ts';
import { findPause } from './pause.ts';
import type { Acceptance, Decision, Refusal } from './plan.ts';
import type { RetentionPolicy } from './policy.ts';
import { backupCount, instant } from './words.ts';

/** A clock that is behind makes old backups look young and new ones wrong: no decision made by it can be believed. */
export function refuseClockBehind(backups: readonly BackupFacts[], now: Date): Refusal | undefined {
  const ahead = backups.find(({ time, storedAt }) => isLaterThan(time, now) && isLaterThan(storedAt, now));
  if (ahead === undefined) return undefined;
  const { id, time, storedAt } = ahead;
  return {
    because: 'clock-behind-newest',
    explanation: `backup ${id} is dated ${instant(time)} and was stored at ${instant(storedAt)}, but the clock here says ${instant(now)}`,
  };
}

const dayMs = 24 * 3_600_000;

interface LastLook {
  readonly accepted: ReadonlySet<Acceptance>;
  /** What the rules would have decided about these at that time. */
  readonly decideAt: (backups: readonly BackupFacts[], now: Date) => readonly Decision[];
}

/**
 * The last look at what would be done. It counts from the decisions and knows nothing of the rules that made them, so
 * that it also catches what a defect in a rule would do. undefined where nothing would be removed.
 */
export function refuseDecisions(
  decisions: readonly Decision[],
  policy: RetentionPolicy,
  facts: Pick<RetentionFacts, 'now' | 'expectedPerDay'>,
  { accepted, decideAt }: LastLook,
): Refusal | undefined {
  const removed = decisions.filter(({ action }) => action === 'remove').length;
  if (removed === 0) return undefined;
  return (
    refuseLoss(decisions, policy, facts.now) ??
    (accepted.has('unexplained-backups') ? undefined : refuseUnexplained(decisions, policy, facts)) ??
    (accepted.has('no-recent-backup') ? undefined : refusePause(decisions, facts.now)) ??
    refuseTooMany(decisions, policy, facts.now, decideAt)
  );
}

function refuseLoss(decisions: readonly Decision[], { keepMin }: RetentionPolicy, now: Date): Refusal | undefined {
  const sound = decisions.filter(({ backup }) => isSound(backup, now));
  const staying = sound.filter(({ action }) => action === 'keep');
  if (staying.length === 0) {
    return {
      because: 'no-verified-backup-left',
      explanation: `none of ${backupCount(sound.length)} that count would stay`,
    };
  }
  const readBack = sound.filter(({ backup }) => backup.verifiedAt !== undefined);
  if (readBack.length > 0 && !readBack.some(({ action }) => action === 'keep')) {
    return {
      because: 'no-verified-backup-left',
      explanation: `none of ${backupCount(readBack.length)} that a read-back verified would stay`,
    };
  }
  if (staying.length < keepMin) {
    // Where there are too few of them now, the doubtful ones may be the last hope.
    return {
      because: 'below-keep-min',
      explanation: `${staying.length} of ${backupCount(sound.length)} that count would stay, fewer than keepMin ${keepMin} demands`,
    };
  }
  return undefined;
}

function refusePause(decisions: readonly Decision[], now: Date): Refusal | undefined {
  const backups = decisions.map(({ backup }) => backup);
  const explanation = findPause(backups, now);
  return explanation === undefined ? undefined : { because: 'no-recent-backup', explanation };
}

function refuseUnexplained(
  decisions: readonly Decision[],
  policy: RetentionPolicy,
  facts: Pick<RetentionFacts, 'now' | 'expectedPerDay'>,
): Refusal | undefined {
  const backups = decisions.map(({ backup }) => backup);
  const explanation = findUnexplainedArrivals(backups, policy, facts);
  return explanation === undefined ? undefined : { because: 'unexplained-backups', explanation };
}

/**
 * Of the backups that were there a day ago, those that would have to go whatever came since. What new backups push out in
 * a day is the ordinary course; a policy that was cut, or is carried out for the first time, shows here.
 */
function refuseTooMany(
  decisions: readonly Decision[],
  { maxRemovedPercent }: RetentionPolicy,
  now: Date,
  decideAt: LastLook['decideAt'],
): Refusal | undefined {
  const aDayAgo = new Date(now.getTime() - dayMs);
  const older = decisions.map(({ backup }) => backup).filter(({ storedAt }) => storedAt <= aDayAgo);
  const removed = decideAt(older, aDayAgo).filter(({ action }) => action === 'remove').length;
  if (removed * 100 <= maxRemovedPercent * older.length) return undefined;
  return {
    because: 'too-many-at-once',
    explanation: `${removed} of ${backupCount(older.length)} that were there a day ago would be removed at once, more than maxRemovedPercent ${maxRemovedPercent}% allows`,
  };
}
