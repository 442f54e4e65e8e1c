import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { ObjectStore, UnfinishedUpload } from '../ports/object-store.ts';
import type { Catalogue, CatalogueEntry } from './catalogue.ts';
import { lineagePrefix, parseKey } from './layout.ts';

/** What dead runs left. */
export interface Remains {
  /** Folders without a manifest, of which every object is ours. */
  readonly folders: readonly CatalogueEntry[];
  readonly uploads: readonly UnfinishedUpload[];
  /** Why the unfinished uploads are not known: a store need not be able to list them. */
  readonly uploadsUnknownBecause: WardenError | undefined;
}

export interface SweepResult {
  readonly objects: number;
  readonly uploads: number;
  readonly bytes: number;
  /** The first reason why something stayed; the next sweep tries it again. */
  readonly failure: WardenError | undefined;
}

/**
 * What no run can be writing any more, in one lineage: folders without a manifest that are neither held nor locked, and
 * unfinished uploads of snapshots under our own keys.
 */
export async function findRemains(
  store: ObjectStore,
  cluster: string,
  lineage: string,
  catalogue: Catalogue,
  runLimitMs: number,
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
  const folders = entries.filter(
    ({ hasManifest, holds, objects }) =>
      !hasManifest && holds.length === 0 && isAbandoned(newest(objects.map(({ modifiedAt }) => modifiedAt))),
  );
  const uploads: UnfinishedUpload[] = [];
  try {
    for await (const upload of store.unfinishedUploads(lineagePrefix(cluster, lineage), signal)) {
      const isOurs = (parseKey(upload.key)?.role.kind ?? 'unknown') !== 'unknown';
      if (isOurs && isAbandoned(upload.touchedAt)) uploads.push(upload);
    }
    return { folders, uploads, uploadsUnknownBecause: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { folders, uploads: [], uploadsUnknownBecause: toWardenError(error) };
  }
}

/** Removes remains. Rejects only when interrupted. */
export async function sweep(store: ObjectStore, remains: Remains, signal: AbortSignal): Promise<SweepResult> {
  const objects = remains.folders.flatMap((folder) => folder.objects);
  const outcomes =
    objects.length === 0
      ? []
      : await store.removeAll(
          objects.map(({ key }) => key),
          signal,
        );
  const removed = objects.filter((_, index) => outcomes[index]?.kind === 'removed');
  let failure = outcomes.find((outcome) => outcome.kind === 'failed')?.error;
  let uploads = 0;
  for (const upload of remains.uploads) {
    try {
      await upload.abort(signal);
      uploads += 1;
    } catch (error) {
      signal.throwIfAborted();
      failure ??= toWardenError(error);
    }
  }
  return {
    objects: removed.length,
    uploads,
    bytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    failure,
  };
}

function newest(times: readonly Date[]): Date | undefined {
  return times.reduce<Date | undefined>(
    (found, time) => (found === undefined || time > found ? time : found),
    undefined,
  );
}
