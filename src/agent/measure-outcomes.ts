import { exitStatus } from '../errors/table.ts';
import type { WardenError } from '../errors/warden-error.ts';
import type { BackupResult } from '../jobs/backup.ts';
import type { PrunedRepository } from '../jobs/prune.ts';
import type { DefraggedMember } from '../members/defragment.ts';
import type { JobResult, Metrics } from '../ports/metrics.ts';

/*
 * What jobs return, as the events that metrics are made of.
 */

export function measureBackup(
  measures: Metrics,
  { manifest: { snapshot, stored, timings } }: BackupResult,
  { began, ended }: { readonly began: Date; readonly ended: Date },
): void {
  const [started, streamed, committed] = [timings.startedAt, timings.streamedAt, timings.committedAt].map(Date.parse);
  measures.backupCommitted({
    snapshotBytes: snapshot.sizeBytes,
    storedBytes: stored.sizeBytes,
    streamHeldSeconds: timings.streamHeldMs / 1000,
    stageSeconds: new Map([
      ['choose', secondsBetween(began.getTime(), started)],
      ['stream', secondsBetween(started, streamed)],
      ['compare', secondsBetween(streamed, committed)],
      ['commit', secondsBetween(committed, ended.getTime())],
    ]),
  });
}

/** Never negative: the clock may have been set back in between. */
function secondsBetween(fromMs = 0, toMs = 0): number {
  return Math.max(0, toMs - fromMs) / 1000;
}

export function measurePruned(measures: Metrics, pruned: readonly PrunedRepository[]): void {
  for (const { repository, removals } of pruned) {
    const removed = [...removals.values()].filter(({ kind }) => kind === 'removed').length;
    measures.backupsRemoved(repository, removed);
  }
}

export function measureDefragged(measures: Metrics, members: readonly DefraggedMember[]): void {
  for (const { name, beforeBytes, afterBytes, durationMs } of members) {
    const reclaimedBytes = afterBytes === undefined ? undefined : Math.max(0, beforeBytes - afterBytes);
    measures.memberDefragmented(name, { seconds: durationMs / 1000, reclaimedBytes });
  }
}

/** The class of an error, which is what its exit status says. */
export function resultOf(error: WardenError | undefined): JobResult {
  if (error === undefined) return 'succeeded';
  if (error.code === 'interrupted') return 'interrupted';
  switch (error.exitStatus) {
    case exitStatus.usage:
      return 'usage';
    case exitStatus.damage:
      return 'damage';
    case exitStatus.refused:
      return 'refused';
    case exitStatus.partly:
      return 'partly';
    case exitStatus.busy:
      return 'busy';
    default:
      return 'failed';
  }
}
