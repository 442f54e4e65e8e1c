import { combineFailures } from '../errors/combine-failures.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Hold } from '../manifest/hold.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { findBackup } from '../repository/find-backup.ts';
import { readDamage } from '../repository/evidence.ts';
import { readHold } from '../repository/holds.ts';
import { objectKey, snapshotName } from '../repository/layout.ts';
import { readManifest } from '../repository/read-manifest.ts';

export interface ShownBackup {
  readonly repository: string;
  readonly entry: CatalogueEntry;
  readonly manifest: Manifest;
  readonly holds: readonly ShownHold[];
  /** Of the snapshot, in the store's own words where it could be asked. */
  readonly lock: Pick<ObjectInfo, 'lockedUntil' | 'hasLegalHold' | 'storageClass'>;
  /** What a read-back found wrong, if the backup counts as damaged. */
  readonly damage: string | undefined;
}

export interface ShownHold {
  readonly name: string;
  /** undefined where what stands in the hold cannot be read; it holds all the same. */
  readonly hold: Hold | undefined;
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
      const holds = await holdsOf(entry, store, signal);
      const lock = await lockOf(entry, store, signal);
      return { repository: name, entry, manifest, holds, lock, damage: await damageOf(entry, store, signal) };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(toWardenError(error));
    }
  }
  throw noRepositoryHasIt(failures);
}

async function holdsOf(
  { place, holds }: CatalogueEntry,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<ShownHold[]> {
  const shown: ShownHold[] = [];
  for (const name of holds) shown.push({ name, hold: await readHold(store, place, name, signal) });
  return shown;
}

/** Where the store cannot be asked, what the listing told. */
async function lockOf(entry: CatalogueEntry, store: ObjectStore, signal: AbortSignal): Promise<ShownBackup['lock']> {
  if (entry.snapshot === undefined) return entry;
  try {
    return (await store.stat(objectKey(entry.place, snapshotName(entry.snapshot.suffix)), signal)) ?? entry;
  } catch {
    signal.throwIfAborted();
    return entry;
  }
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
