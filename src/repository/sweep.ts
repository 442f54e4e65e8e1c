import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { ObjectInfo, ObjectStore, UnfinishedUpload } from '../ports/object-store.ts';
import type { Catalogue, CatalogueEntry } from './catalogue.ts';
import { backupPrefix, lineagePrefix, parseKey } from './layout.ts';
import { backupsAtOnce } from './remove-backups.ts';

/** What dead runs left. */
export interface Remains {
  /** Folders without a manifest that will be swept. */
  readonly folders: readonly CatalogueEntry[];
  readonly uploads: readonly UnfinishedUpload[];
  /** Folders with a snapshot that lost their manifest, it seems, rather than never had one: left alone. */
  readonly suspicious: readonly CatalogueEntry[];
  /** Why the unfinished uploads are not known: a store need not be able to list them. */
  readonly uploadsUnknownBecause: WardenError | undefined;
}

export interface SweepResult {
  readonly objects: number;
  readonly uploads: number;
  readonly bytes: number;
  readonly locked: number;
  readonly keptVersions: number;
  /** The first reason why something stayed that should have gone; the next sweep tries it again. */
  readonly failure: WardenError | undefined;
}

export interface SweepScope {
  readonly cluster: string;
  readonly lineage: string;
  /** No run can live longer: what is younger may still be written. */
  readonly runLimitMs: number;
  /** Somebody looked at the suspicious ones and says that they are remains. */
  readonly acceptRemains: boolean;
}

/**
 * What no run can be writing any more, in one lineage: folders without a manifest, not held, and unfinished uploads under
 * our own keys.
 *
 * A snapshot without a manifest may also be a good backup whose manifest was lost or is hidden, which a sweep would finish
 * off. So one that was ever read back is suspicious, and so are all if there are more than a killed run can leave.
 */
export async function findRemains(
  store: ObjectStore,
  catalogue: Catalogue,
  { cluster, lineage, runLimitMs, acceptRemains }: SweepScope,
  signal: AbortSignal,
): Promise<Remains> {
  const entries = catalogue.entries.filter(({ place }) => place.lineage === lineage);
  const newestStoredAt = newest(
    entries.flatMap(({ state, storedAt }) => (state === 'complete' ? (storedAt ?? []) : [])),
  );
  // A backup was stored longer after it than a run can live. Both times are the store's: no clock of ours has a say.
  const isAbandoned = (touchedAt: Date | undefined): boolean =>
    touchedAt !== undefined &&
    newestStoredAt !== undefined &&
    newestStoredAt.getTime() - touchedAt.getTime() > runLimitMs;
  const abandoned = entries.filter(
    ({ hasManifest, holds, objects }) =>
      !hasManifest && holds.length === 0 && isAbandoned(newest(objects.map(({ modifiedAt }) => modifiedAt))),
  );
  const suspicious = acceptRemains ? [] : findSuspicious(abandoned);
  const folders = abandoned.filter((entry) => !suspicious.includes(entry));
  const uploads: UnfinishedUpload[] = [];
  try {
    for await (const upload of store.unfinishedUploads(lineagePrefix(cluster, lineage), signal)) {
      const isOurs = (parseKey(upload.key)?.role.kind ?? 'unknown') !== 'unknown';
      if (isOurs && isAbandoned(upload.touchedAt)) uploads.push(upload);
    }
    return { folders, uploads, suspicious, uploadsUnknownBecause: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { folders, uploads: [], suspicious, uploadsUnknownBecause: toWardenError(error) };
  }
}

function findSuspicious(abandoned: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
  const withSnapshot = abandoned.filter(({ snapshot }) => snapshot !== undefined);
  if (withSnapshot.length > backupsAtOnce) return withSnapshot;
  return withSnapshot.filter(({ verifiedAt, drilledAt }) => verifiedAt !== undefined || drilledAt !== undefined);
}

/** Removes remains; a folder that has a manifest by now stays. Rejects only when interrupted. */
export async function sweep(store: ObjectStore, remains: Remains, signal: AbortSignal): Promise<SweepResult> {
  const failures: WardenError[] = [];
  const objects: ObjectInfo[] = [];
  for (const folder of remains.folders) {
    try {
      objects.push(...(await stillRemains(store, folder, signal)));
    } catch (error) {
      signal.throwIfAborted();
      failures.push(toWardenError(error));
    }
  }
  const keys = objects.map(({ key }) => key);
  const outcomes = keys.length === 0 ? [] : await store.removeAll(keys, signal);
  const removed = objects.filter((_, index) => outcomes[index]?.kind === 'removed');
  for (const outcome of outcomes) if (outcome.kind === 'failed') failures.push(outcome.error);
  let uploads = 0;
  for (const upload of remains.uploads) {
    try {
      await upload.abort(signal);
      uploads += 1;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(toWardenError(error));
    }
  }
  return {
    objects: removed.length,
    uploads,
    bytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    locked: outcomes.filter(({ kind }) => kind === 'locked').length,
    keptVersions: outcomes.filter((outcome) => outcome.kind === 'removed' && outcome.isKeptAsVersion).length,
    failure: failures[0],
  };
}

/** The objects of a folder as they are now; none if it has a manifest or a hold by now. */
async function stillRemains(
  store: ObjectStore,
  { place }: CatalogueEntry,
  signal: AbortSignal,
): Promise<readonly ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  for await (const object of store.list(backupPrefix(place), signal)) {
    const kind = parseKey(object.key)?.role.kind ?? 'unknown';
    if (kind === 'manifest' || kind === 'hold') return [];
    if (kind !== 'unknown') objects.push(object);
  }
  return objects;
}

function newest(times: readonly Date[]): Date | undefined {
  return times.reduce<Date | undefined>(
    (found, time) => (found === undefined || time > found ? time : found),
    undefined,
  );
}
