import { isWardenError, toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { ObjectStore, RemovalOutcome } from '../ports/object-store.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { backupPrefix, parseKey } from './layout.ts';

/** So many that thousands take minutes, so few that each was looked at just before. */
const backupsAtOnce = 50;

/** What became of one backup. */
export type BackupRemoval =
  | {
      readonly kind: 'removed';
      /** Objects that stay although the manifest is gone: the sweep tries them again. */
      readonly leftovers: number;
      /** Objects whose bytes the store keeps as older versions. */
      readonly keptVersions: number;
    }
  | { readonly kind: 'held'; readonly holds: readonly string[] }
  | { readonly kind: 'locked'; readonly until: Date | undefined }
  | { readonly kind: 'failed'; readonly error: WardenError };

/**
 * Removes backups, oldest first, each manifest before anything else of its backup: wherever this stops, what is left of a
 * backup is whole, or has no manifest and is swept later. Looks at each folder again right before, because a hold may have
 * come since the listing. `onRemoval` hears once of each backup, as soon as its fate is known.
 */
export async function removeBackups(
  store: ObjectStore,
  newestFirst: readonly CatalogueEntry[],
  onRemoval: (entry: CatalogueEntry, removal: BackupRemoval) => void,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const oldestFirst = newestFirst.toReversed();
  for (let at = 0; at < oldestFirst.length; at += backupsAtOnce) {
    const looks = oldestFirst.slice(at, at + backupsAtOnce).map((entry) => lookAgain(store, entry, now, signal));
    const removable: Folder[] = [];
    for (const { entry, found } of await Promise.all(looks)) {
      if ('kind' in found) onRemoval(entry, found);
      else removable.push(found);
    }
    await removeFolders(store, removable, onRemoval, signal);
  }
}

interface Folder {
  readonly entry: CatalogueEntry;
  readonly manifestKeys: readonly string[];
  readonly otherKeys: readonly string[];
}

/** The objects of a backup as they are now, or what forbids to remove it. */
async function lookAgain(
  store: ObjectStore,
  entry: CatalogueEntry,
  now: Date,
  signal: AbortSignal,
): Promise<{ readonly entry: CatalogueEntry; readonly found: Folder | BackupRemoval }> {
  try {
    const folder = { entry, manifestKeys: [] as string[], otherKeys: [] as string[] };
    const holds: string[] = [];
    let snapshotKey: string | undefined;
    for await (const { key } of store.list(backupPrefix(entry.place), signal)) {
      const role = parseKey(key)?.role;
      if (role === undefined || role.kind === 'unknown') continue;
      if (role.kind === 'hold') holds.push(role.name);
      if (role.kind === 'snapshot') snapshotKey = key;
      (role.kind === 'manifest' ? folder.manifestKeys : folder.otherKeys).push(key);
    }
    if (holds.length > 0) return { entry, found: { kind: 'held', holds } };
    // The manifest must not go while the store keeps the snapshot: the backup would vanish and cost as before.
    const locked = snapshotKey === undefined ? undefined : await findLock(store, snapshotKey, now, signal);
    return { entry, found: locked ?? folder };
  } catch (error) {
    signal.throwIfAborted();
    return { entry, found: { kind: 'failed', error: toWardenError(error) } };
  }
}

async function findLock(
  store: ObjectStore,
  key: string,
  now: Date,
  signal: AbortSignal,
): Promise<BackupRemoval | undefined> {
  try {
    const info = await store.stat(key, signal);
    if (info?.hasLegalHold === true) return { kind: 'locked', until: undefined };
    const until = info?.lockedUntil;
    return until !== undefined && until > now ? { kind: 'locked', until } : undefined;
  } catch (error) {
    // A role that may list and remove but not read: then the attempt will tell.
    if (isWardenError(error, 'store-access-denied')) return undefined;
    throw error;
  }
}

async function removeFolders(
  store: ObjectStore,
  folders: readonly Folder[],
  onRemoval: (entry: CatalogueEntry, removal: BackupRemoval) => void,
  signal: AbortSignal,
): Promise<void> {
  const manifests = await removeKeys(
    store,
    folders.flatMap(({ manifestKeys }) => manifestKeys),
    signal,
  );
  const uncommitted: Folder[] = [];
  for (const folder of folders) {
    const outcomes = folder.manifestKeys.flatMap((key) => manifests.get(key) ?? []);
    const refusal = outcomes.find((outcome) => outcome.kind !== 'removed');
    if (refusal === undefined) uncommitted.push(folder);
    else onRemoval(folder.entry, refusal);
  }
  const others = await removeKeys(
    store,
    uncommitted.flatMap(({ otherKeys }) => otherKeys),
    signal,
  );
  for (const { entry, manifestKeys, otherKeys } of uncommitted) {
    const outcomes = [...manifestKeys.map((key) => manifests.get(key)), ...otherKeys.map((key) => others.get(key))];
    onRemoval(entry, {
      kind: 'removed',
      leftovers: outcomes.filter((outcome) => outcome?.kind !== 'removed').length,
      keptVersions: outcomes.filter((outcome) => outcome?.kind === 'removed' && outcome.isKeptAsVersion).length,
    });
  }
}

async function removeKeys(
  store: ObjectStore,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RemovalOutcome>> {
  if (keys.length === 0) return new Map();
  const outcomes = await store.removeAll(keys, signal);
  return new Map(keys.flatMap((key, index) => (outcomes[index] === undefined ? [] : [[key, outcomes[index]]])));
}
