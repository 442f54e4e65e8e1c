import { isWardenError, toWardenError, type WardenError } from '../errors/warden-error.ts';
import { manifestMaxBytes } from '../manifest/manifest.ts';
import type { ObjectStore, RemovalOutcome } from '../ports/object-store.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { backupPrefix, manifestName, objectKey, parseKey, type BackupPlace } from './layout.ts';
import { readSmallObject } from './read-small-object.ts';

/**
 * As many as a run that is killed can leave without a manifest: few enough that the sweep of the next one takes them for
 * what they are.
 */
export const backupsAtOnce = 10;

/** What became of one backup. */
export type BackupRemoval =
  | { readonly kind: 'removed'; readonly rest: Rest }
  | { readonly kind: 'held'; readonly holds: readonly string[] }
  | { readonly kind: 'locked'; readonly until: Date | undefined }
  | { readonly kind: 'failed'; readonly error: WardenError };

/** Objects that are still there although the backup is gone. */
export interface Rest {
  /** Why the first of those stays that should have gone; the sweep tries them again. */
  readonly failure: WardenError | undefined;
  readonly failed: number;
  readonly locked: number;
  /** Removed ones whose bytes the store keeps as older versions. */
  readonly keptVersions: number;
}

/**
 * Removes backups, oldest first, each manifest before anything else of its backup: wherever this stops, what is left of a
 * backup is whole, or has no manifest and is swept later. Looks at each folder again right before, and once more between
 * manifest and rest: a hold that came meanwhile gets the manifest back. `onRemoval` hears once of each backup, as soon as
 * its fate is known. Rejects before the next few where `lost` is aborted.
 */
export async function removeBackups(
  store: ObjectStore,
  newestFirst: readonly CatalogueEntry[],
  onRemoval: (entry: CatalogueEntry, removal: BackupRemoval) => void,
  now: Date,
  signal: AbortSignal,
  lost?: AbortSignal,
): Promise<void> {
  const oldestFirst = newestFirst.toReversed();
  for (let at = 0; at < oldestFirst.length; at += backupsAtOnce) {
    lost?.throwIfAborted();
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
  readonly manifestKey: string | undefined;
  /** To put it back with; undefined where the role may not read. */
  readonly manifest: Uint8Array | undefined;
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
    const { holds, keys } = await listFolder(store, entry.place, signal);
    if (holds.length > 0) return { entry, found: { kind: 'held', holds } };
    const manifestKey = keys.find((key) => key.endsWith(`/${manifestName}`));
    // The manifest must not go while the store keeps the snapshot: the backup would vanish and cost as before.
    const snapshotKey = keys.find((key) => parseKey(key)?.role.kind === 'snapshot');
    const locked = snapshotKey === undefined ? undefined : await findLock(store, snapshotKey, now, signal);
    if (locked !== undefined) return { entry, found: locked };
    const manifest = manifestKey === undefined ? undefined : await readIfAllowed(store, manifestKey, signal);
    return { entry, found: { entry, manifestKey, manifest, otherKeys: keys.filter((key) => key !== manifestKey) } };
  } catch (error) {
    signal.throwIfAborted();
    return { entry, found: { kind: 'failed', error: toWardenError(error) } };
  }
}

async function listFolder(
  store: ObjectStore,
  place: BackupPlace,
  signal: AbortSignal,
): Promise<{ readonly holds: readonly string[]; readonly keys: readonly string[] }> {
  const holds: string[] = [];
  const keys: string[] = [];
  for await (const { key } of store.list(backupPrefix(place), signal)) {
    const role = parseKey(key)?.role;
    if (role === undefined || role.kind === 'unknown') continue;
    if (role.kind === 'hold') holds.push(role.name);
    keys.push(key);
  }
  return { holds, keys };
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

async function readIfAllowed(store: ObjectStore, key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await readSmallObject(store, key, manifestMaxBytes, signal);
  } catch (error) {
    // Too large to be a manifest, archived, or not for this role: it can go all the same.
    if (isWardenError(error, 'store-access-denied', 'store-object-archived', 'object-damaged')) return undefined;
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
    folders.flatMap(({ manifestKey }) => manifestKey ?? []),
    signal,
  );
  const uncommitted: Folder[] = [];
  for (const folder of folders) {
    const outcome = manifests.get(folder.manifestKey ?? '');
    if (outcome !== undefined && outcome.kind !== 'removed') onRemoval(folder.entry, outcome);
    else uncommitted.push(folder);
  }
  const heldNow = await Promise.all(uncommitted.map((folder) => giveBackToHolder(store, folder, signal)));
  const leaving: Folder[] = [];
  for (const [index, folder] of uncommitted.entries()) {
    const held = heldNow[index];
    if (held === undefined) leaving.push(folder);
    else onRemoval(folder.entry, held);
  }
  const others = await removeKeys(
    store,
    leaving.flatMap(({ otherKeys }) => otherKeys),
    signal,
  );
  for (const { entry, manifestKey, otherKeys } of leaving) {
    const outcomes = [manifests.get(manifestKey ?? ''), ...otherKeys.map((key) => others.get(key))];
    onRemoval(entry, { kind: 'removed', rest: restOf(outcomes.filter((outcome) => outcome !== undefined)) });
  }
}

/** Where a hold came just before the manifest went: the manifest again, as it was. */
async function giveBackToHolder(
  store: ObjectStore,
  { entry, manifest }: Folder,
  signal: AbortSignal,
): Promise<BackupRemoval | undefined> {
  try {
    const { holds } = await listFolder(store, entry.place, signal);
    if (holds.length === 0) return undefined;
    const key = objectKey(entry.place, manifestName);
    if (manifest !== undefined) await store.create(key, manifest, signal);
    return { kind: 'held', holds };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failed', error: toWardenError(error) };
  }
}

function restOf(outcomes: readonly RemovalOutcome[]): Rest {
  const failures = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  return {
    failure: failures[0],
    failed: failures.length,
    locked: outcomes.filter(({ kind }) => kind === 'locked').length,
    keptVersions: outcomes.filter((outcome) => outcome.kind === 'removed' && outcome.isKeptAsVersion).length,
  };
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
