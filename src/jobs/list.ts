import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type Catalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { readManifest } from '../repository/read-manifest.ts';

export interface ListOptions {
  readonly cluster: string;
  /** Only this one; else every lineage of the cluster. */
  readonly lineage: string | undefined;
  /** Compares every stored size with its manifest: one GET a backup. */
  readonly check: boolean;
}

export interface ListedRepository {
  readonly repository: string;
  readonly catalogue: Catalogue | undefined;
  readonly error: WardenError | undefined;
  /** With `check`: what is wrong, by backup id. */
  readonly findings: ReadonlyMap<string, string>;
}

/** The backups of every repository, as each store lists them; one that cannot be listed does not hide the others. */
export async function listBackups(
  repositories: readonly Repository[],
  options: ListOptions,
  signal: AbortSignal,
): Promise<ListedRepository[]> {
  return Promise.all(
    repositories.map(async (repository): Promise<ListedRepository> => {
      try {
        const catalogue = await readCatalogue(repository.store, options.cluster, options.lineage, signal);
        const findings = options.check ? await checkSizes(repository, catalogue.entries, signal) : new Map<string, string>();
        return { repository: repository.name, catalogue, error: undefined, findings };
      } catch (error) {
        signal.throwIfAborted();
        return { repository: repository.name, catalogue: undefined, error: toWardenError(error), findings: new Map() };
      }
    }),
  );
}

async function checkSizes(
  repository: Repository,
  entries: readonly CatalogueEntry[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const findings = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.hasManifest) continue;
    const finding = await checkSize(repository, entry, signal);
    if (finding !== undefined) findings.set(entry.place.id.text, finding);
  }
  return findings;
}

async function checkSize(repository: Repository, entry: CatalogueEntry, signal: AbortSignal): Promise<string | undefined> {
  if (entry.damagedAt !== undefined && entry.state === 'damaged') return 'evidence of damage stands beside it';
  if (entry.snapshot === undefined) return 'the snapshot is missing';
  try {
    const { stored } = await readManifest(repository.store, entry.place, signal);
    if (stored.sizeBytes === entry.snapshot.sizeBytes) return undefined;
    return `${entry.snapshot.sizeBytes} bytes are stored, the manifest says ${stored.sizeBytes}`;
  } catch (error) {
    signal.throwIfAborted();
    return toWardenError(error).message;
  }
}
