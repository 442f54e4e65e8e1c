import { combineFailures } from '../errors/combine-failures.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { findBackup } from '../repository/find-backup.ts';
import { readDamage } from '../repository/evidence.ts';
import { readManifest } from '../repository/read-manifest.ts';

export interface ShownBackup {
  readonly repository: string;
  readonly entry: CatalogueEntry;
  readonly manifest: Manifest;
  /** What a read-back found wrong, if the backup counts as damaged. */
  readonly damage: string | undefined;
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
      const { name, store } = repository;
      const manifest = await readManifest(store, entry.place, signal);
      return { repository: name, entry, manifest, damage: await damageOf(entry, store, signal) };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(toWardenError(error));
    }
  }
  throw noRepositoryHasIt(failures);
}

async function damageOf(
  { state, place, damagedAt }: CatalogueEntry,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  return state === 'damaged' && damagedAt !== undefined ? readDamage(store, place, damagedAt, signal) : undefined;
}

function noRepositoryHasIt(failures: readonly WardenError[]): WardenError {
  const [first, ...others] = failures;
  if (first === undefined) return new WardenError('backup-not-found', 'no repository is configured');
  return combineFailures([first, ...others], { summary: 'no repository could show it' });
}
