import type { Config } from '../config/schema.ts';
import type { BackupResult } from '../jobs/backup.ts';
import { prune, type PrunedRepository, type PruneParts } from '../jobs/prune.ts';
import type { Repository } from '../ports/repository.ts';
import { pruneFacts, withPolicies } from './retention.ts';

/**
 * Carries retention out where a backup was just stored, if `schedules.prune.after` says so. What goes wrong with it is in
 * the outcome and in the log: no reason for the backup to have failed. Rejects only when interrupted.
 */
export async function pruneAfterBackup(
  parts: Omit<PruneParts, 'repositories'> & { readonly repositories: readonly Repository[] },
  config: Config,
  { place, stored, manifest, damagedMembers }: BackupResult,
  signal: AbortSignal,
): Promise<PrunedRepository[]> {
  if (config.schedules.prune.after !== 'backup') return [];
  const doubt = findDoubt(manifest, damagedMembers);
  if (doubt !== undefined) {
    parts.log.warn(`retention was left out: ${doubt}`);
    return [];
  }
  const repositories = parts.repositories.filter(({ name }) => stored.includes(name));
  return prune(
    { ...parts, repositories: withPolicies(repositories, config) },
    {
      ...pruneFacts(config),
      dryRun: false,
      lineage: place.lineage,
      accepted: new Set(),
      justStored: place.id.text,
    },
    signal,
  );
}

/** Why older backups may be better than the new one. */
function findDoubt(
  { freshness }: BackupResult['manifest'],
  damaged: BackupResult['damagedMembers'],
): string | undefined {
  if (damaged.length > 0) return 'members of the cluster are damaged or disagree';
  // A member that is cut off gives the same old state again and again.
  return freshness.checked ? undefined : 'whether the backup is up to date was not checked';
}
