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
  { place, stored, damagedMembers }: BackupResult,
  signal: AbortSignal,
): Promise<PrunedRepository[]> {
  if (config.schedules.prune.after !== 'backup') return [];
  if (damagedMembers.length > 0) {
    // Older backups may be the only ones from before the damage.
    parts.log.warn('retention was left out: members of the cluster are damaged or disagree');
    return [];
  }
  const repositories = parts.repositories.filter(({ name }) => stored.includes(name));
  return prune(
    { ...parts, repositories: withPolicies(repositories, config) },
    {
      ...pruneFacts(config),
      dryRun: false,
      lineage: place.lineage,
      acceptUnexplained: false,
      justStored: place.id.text,
    },
    signal,
  );
}
