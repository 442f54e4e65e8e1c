import type { BackupFacts } from './facts.ts';

/** Runs that overlap may have asked for their revision in another order than that of their dates. */
const overlapMs = 10 * 60_000;

/** A cluster that was restored from an old snapshot, or a member that was cut off and backed up nevertheless. */
export interface StepBack {
  /** The newest backup from before, and everything older than it. */
  readonly newestBefore: BackupFacts;
  readonly toRevision: bigint;
}

/**
 * Where revisions go back although they only ever grow: what lies before may be all that is left of the history that was
 * lost. A restored cluster can have the same cluster id, so the lineage alone does not tell.
 * @param soundNewestFirst those that count
 */
export function findStepBack(soundNewestFirst: readonly BackupFacts[]): StepBack | undefined {
  // Ids of backups without a known revision say 0.
  const told = soundNewestFirst.filter(({ revision }) => revision > 0n);
  let lowest: bigint | undefined;
  let next = 0;
  for (const backup of told) {
    for (; isWellAfter(told[next], backup); next += 1) lowest = smaller(lowest, told[next]?.revision);
    if (lowest !== undefined && backup.revision > lowest) return { newestBefore: backup, toRevision: lowest };
  }
  return undefined;
}

function isWellAfter(later: BackupFacts | undefined, earlier: BackupFacts): boolean {
  return later !== undefined && later.time.getTime() - earlier.time.getTime() >= overlapMs;
}

function smaller(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}
