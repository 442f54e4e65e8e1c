import { exitStatus } from '../errors/table.ts';
import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';
import { findClusters, readCatalogue, type Catalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { snapshotName } from '../repository/layout.ts';
import { readDamage } from '../repository/evidence.ts';
import { readManifest } from '../repository/read-manifest.ts';

export interface ListOptions {
  readonly cluster: string;
  /** Only this one; else every lineage of the cluster. */
  readonly lineage: string | undefined;
  /** Compares every stored size with its manifest: one GET a backup. */
  readonly check: boolean;
  /** Names other clusters that have backups there, also where this one has some: one more LIST. */
  readonly otherClusters: boolean;
}

export interface ListedRepository {
  readonly repository: string;
  /** undefined where the repository could not be listed. */
  readonly catalogue: Catalogue | undefined;
  /** Why there is no catalogue, or why the check could not look at every backup. */
  readonly error: WardenError | undefined;
  /**
   * Those of which there is something, among them a former name of this one: nobody prunes that. Looked for where asked,
   * and where there is nothing of this cluster.
   */
  readonly otherClusters: readonly string[];
  /** With `check`: the damage that was found, by backup id. */
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
        const entries = options.check ? catalogue.entries.filter((entry) => entry.hasManifest) : [];
        const looksAround = options.otherClusters || catalogue.entries.length === 0;
        const otherClusters = looksAround ? await findClusters(repository.store, options.cluster, signal) : [];
        const checked = await checkSizes(repository, entries, signal);
        return { repository: repository.name, catalogue, otherClusters, ...checked };
      } catch (error) {
        signal.throwIfAborted();
        return {
          repository: repository.name,
          catalogue: undefined,
          error: toWardenError(error),
          otherClusters: [],
          findings: new Map(),
        };
      }
    }),
  );
}

/** Stops at the first failure that would meet the other backups as well; what a newer version wrote is passed over. */
async function checkSizes(
  repository: Repository,
  entries: readonly CatalogueEntry[],
  signal: AbortSignal,
): Promise<Pick<ListedRepository, 'findings' | 'error'>> {
  const findings = new Map<string, string>();
  let error: WardenError | undefined;
  for (const entry of entries) {
    try {
      const finding = await checkSize(repository, entry, signal);
      if (finding !== undefined) findings.set(entry.place.id.text, finding);
    } catch (thrown) {
      signal.throwIfAborted();
      error = toWardenError(thrown);
      if (error.code !== 'manifest-unsupported') break;
    }
  }
  return { findings, error };
}

/** What is wrong with a backup. Rejects where that could not be found out: no evidence of damage. */
async function checkSize(
  repository: Repository,
  entry: CatalogueEntry,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (entry.snapshot === undefined) return 'the snapshot is missing';
  if (entry.damagedAt !== undefined && entry.state === 'damaged') {
    const damage = await readDamage(repository.store, entry.place, entry.damagedAt, signal);
    return damage ?? `found damaged at ${entry.damagedAt.toISOString()}`;
  }
  const { suffix, sizeBytes } = entry.snapshot;
  try {
    const { stored } = await readManifest(repository.store, entry.place, signal);
    const name = snapshotName(suffix);
    if (stored.object !== name) return `${name} is stored, the manifest says ${stored.object}`;
    if (stored.sizeBytes !== sizeBytes) return `${sizeBytes} bytes are stored, the manifest says ${stored.sizeBytes}`;
    return undefined;
  } catch (thrown) {
    const error = toWardenError(thrown);
    if (error.exitStatus !== exitStatus.damage) throw error;
    return error.message;
  }
}
