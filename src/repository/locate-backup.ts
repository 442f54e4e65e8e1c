import { combineFailures } from '../errors/combine-failures.ts';
import { isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';
import { newestFirst, readCatalogue, type CatalogueEntry } from './catalogue.ts';
import { findBackup } from './find-backup.ts';

/** One backup, and where it lies. */
export interface LocatedBackup {
  readonly id: string;
  /** One for each repository, in the order given. */
  readonly sites: readonly BackupSite[];
}

export type BackupSite =
  | { readonly kind: 'there'; readonly repository: Repository; readonly entry: CatalogueEntry }
  | { readonly kind: 'absent'; readonly repository: Repository }
  | { readonly kind: 'unlisted'; readonly repository: Repository; readonly error: WardenError };

export interface Wanted {
  /** As `findBackup` takes it. */
  readonly reference: string;
  /** Whether a whole id also means what is left of a backup whose manifest is gone. */
  readonly remains?: boolean;
}

/**
 * Finds one and the same backup in several repositories. `latest` is the newest of them all, and a prefix has to be
 * unambiguous across them. Rejects as `findBackup` does, or with the reasons where no repository could be asked.
 */
export async function locateBackup(
  repositories: readonly Repository[],
  cluster: string,
  { reference, remains = false }: Wanted,
  signal: AbortSignal,
): Promise<LocatedBackup> {
  const listings = await Promise.all(repositories.map((repository) => listEntries(repository, cluster, signal)));
  const isWholeId = listings.some(({ entries }) => entries.some(({ place }) => place.id.text === reference));
  const id = remains && isWholeId ? reference : chooseId(listings, reference);
  const sites = listings.map(({ repository, entries, error }): BackupSite => {
    if (error !== undefined) return { kind: 'unlisted', repository, error };
    const entry = entries.find(({ place, hasManifest }) => (hasManifest || remains) && place.id.text === id);
    return entry === undefined ? { kind: 'absent', repository } : { kind: 'there', repository, entry };
  });
  return { id, sites };
}

interface Listing {
  readonly repository: Repository;
  readonly entries: readonly CatalogueEntry[];
  readonly error: WardenError | undefined;
}

async function listEntries(repository: Repository, cluster: string, signal: AbortSignal): Promise<Listing> {
  try {
    const { entries } = await readCatalogue(repository.store, cluster, undefined, signal);
    return { repository, entries, error: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { repository, entries: [], error: toWardenError(error) };
  }
}

function chooseId(listings: readonly Listing[], reference: string): string {
  const found = new Map<string, CatalogueEntry>();
  const failures: WardenError[] = [];
  for (const { repository, entries, error } of listings) {
    try {
      if (error !== undefined) throw error;
      const entry = findBackup(entries, reference, repository.name);
      found.set(entry.place.id.text, entry);
    } catch (thrown) {
      const failure = toWardenError(thrown);
      if (isWardenError(failure, 'backup-ambiguous')) throw failure;
      failures.push(failure);
    }
  }
  const ids = [...found.values()].sort(newestFirst).map(({ place }) => place.id.text);
  const [newest, ...others] = ids;
  if (newest === undefined) throw nowhere(failures);
  if (others.length === 0 || reference === 'latest' || reference === 'latest-verified') return newest;
  throw new WardenError('backup-ambiguous', `${reference} fits ${ids.length} backups: ${ids.slice(0, 5).join(', ')}`, {
    details: { reference, ids: ids.slice(0, 5) },
  });
}

function nowhere(failures: readonly WardenError[]): WardenError {
  const [first, ...others] = failures;
  if (first === undefined) return new WardenError('backup-not-found', 'no repository is configured');
  return combineFailures([first, ...others], { summary: 'no repository holds it' });
}
