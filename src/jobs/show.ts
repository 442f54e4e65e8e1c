import { combineFailures } from '../errors/combine-failures.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { findBackup } from '../repository/find-backup.ts';
import { readManifest } from '../repository/read-manifest.ts';

export interface ShownBackup {
  readonly repository: string;
  readonly entry: CatalogueEntry;
  readonly manifest: Manifest;
}

/** One backup from the first repository that has it; the others are asked only if an earlier one cannot answer. */
export async function showBackup(
  repositories: readonly Repository[],
  cluster: string,
  reference: string,
  signal: AbortSignal,
): Promise<ShownBackup> {
  const failures: WardenError[] = [];
  for (const repository of repositories) {
    try {
      const { entries } = await readCatalogue(repository.store, cluster, undefined, signal);
      const entry = findBackup(entries, reference, repository.name);
      return {
        repository: repository.name,
        entry,
        manifest: await readManifest(repository.store, entry.place, signal),
      };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(toWardenError(error));
    }
  }
  throw noRepositoryHasIt(failures);
}

function noRepositoryHasIt(failures: readonly WardenError[]): WardenError {
  const [first, ...others] = failures;
  if (first === undefined) return new WardenError('backup-not-found', 'no repository is configured');
  return combineFailures([first, ...others], { summary: 'no repository could show it' });
}
