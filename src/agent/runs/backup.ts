import type { Config } from '../../config/schema.ts';
import { toWardenError, type WardenError } from '../../errors/warden-error.ts';
import { backUp, type BackupOptions, type BackupResult } from '../../jobs/backup.ts';
import type { PrunedRepository } from '../../jobs/prune.ts';
import type { Progress } from '../../ports/progress.ts';
import { toolVersion } from '../../version.ts';
import type { Parts } from '../compose.ts';
import { describeHolder } from '../describe-holder.ts';
import { type ConfirmLock, withClusterLock } from '../hold-lock.ts';
import { measureBackup, measurePruned } from '../measure-outcomes.ts';
import { pruneAfterBackup } from '../prune-after-backup.ts';
import { runLimitMs, withinRunLimit } from '../run-limit.ts';
import { findBackupSince } from '../served.ts';
import { judgeBackup } from './judge.ts';

/** Longer than the usual defragmentation takes; a backup that is not taken is worse than one that is late. */
const lockWaitMs = 5 * 60_000;

export interface BackupRun {
  readonly result: BackupResult;
  readonly pruned: readonly PrunedRepository[];
  /** How long retention took. */
  readonly pruneSeconds: number;
  /** What is wrong although the backup exists. */
  readonly error: WardenError | undefined;
}

type BackupRunParts = Parts & { readonly progress: Progress };

/** Takes a backup while nobody else works on the cluster, and carries retention out after it where that is configured. */
export async function runBackup(
  parts: BackupRunParts,
  config: Config,
  tags: BackupOptions['tags'],
  signal: AbortSignal,
): Promise<BackupRun> {
  const result = await underLock(parts, config, signal, (limited, confirmLock) =>
    take({ ...parts, confirmLock }, config, tags, limited),
  );
  return finish(parts, config, result, signal);
}

/** The same for a time at which one was due. One that was taken since, by whomever, serves as well: then its name. */
export async function runDueBackup(
  parts: BackupRunParts,
  config: Config,
  since: Date,
  signal: AbortSignal,
): Promise<BackupRun | string> {
  const outcome = await underLock(parts, config, signal, async (limited, confirmLock) => {
    // Only under the lock: whoever held it may have taken one.
    const servedBy = await findBackupSince(parts, config.cluster.name, since, limited);
    return servedBy ?? take({ ...parts, confirmLock }, config, {}, limited);
  });
  return typeof outcome === 'string' ? outcome : finish(parts, config, outcome, signal);
}

function underLock<T>(
  parts: BackupRunParts,
  config: Config,
  signal: AbortSignal,
  work: (limited: AbortSignal, confirmLock: ConfirmLock) => Promise<T>,
): Promise<T> {
  return withinRunLimit(runLimitMs(config), signal, (limited) =>
    withClusterLock(parts, { holder: describeHolder('backup'), waitMs: lockWaitMs }, limited, (confirmLock) =>
      work(limited, confirmLock),
    ),
  );
}

async function take(
  parts: BackupRunParts & { readonly confirmLock: ConfirmLock },
  config: Config,
  tags: BackupOptions['tags'],
  signal: AbortSignal,
): Promise<BackupResult> {
  const began = parts.clock.now();
  const result = await backUp(parts, backupOptions(config, tags), signal);
  measureBackup(parts.measures, result, { began, ended: parts.clock.now() });
  return result;
}

async function finish(
  parts: BackupRunParts,
  config: Config,
  result: BackupResult,
  signal: AbortSignal,
): Promise<BackupRun> {
  const startedMs = parts.clock.monotonicMs();
  try {
    const pruned = await pruneAfterBackup(parts, config, result, signal);
    measurePruned(parts.measures, pruned);
    const pruneSeconds = (parts.clock.monotonicMs() - startedMs) / 1000;
    return { result, pruned, pruneSeconds, error: judgeBackup(result) };
  } catch (thrown) {
    // The backup stands, whatever ended the rest.
    return { result, pruned: [], pruneSeconds: 0, error: toWardenError(thrown) };
  }
}

function backupOptions({ snapshot, cluster }: Config, tags: BackupOptions['tags']): BackupOptions {
  const { spool, compression } = snapshot;
  return {
    cluster: cluster.name,
    prefer: snapshot.prefer,
    limits: { idleTimeoutMs: snapshot.idleTimeout.ms, maxStreamHoldMs: snapshot.maxStreamHold.ms },
    compression:
      compression.algorithm === 'none' ? { algorithm: 'none' } : { algorithm: 'zstd', level: compression.level },
    spool: spool.directory === '' ? undefined : { directory: spool.directory, maxSizeBytes: spool.maxSize.bytes },
    tags,
    toolVersion,
  };
}
