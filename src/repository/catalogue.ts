import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import { clusterPrefix, lineagePrefix, parseKey, type BackupPlace, type ObjectRole } from './layout.ts';

/**
 * `complete`: manifest and snapshot are there. `incomplete`: remains of a run that did not finish, never a backup.
 * `damaged`: evidence says that it must not be counted or chosen, or its manifest stands without a snapshot.
 */
export type BackupState = 'complete' | 'incomplete' | 'damaged';

/** An object of ours beside a backup. */
export interface CatalogueObject extends ObjectInfo {
  readonly role: ObjectRole;
}

/** One backup as the listing alone tells it. */
export interface CatalogueEntry {
  readonly place: BackupPlace;
  /** Everything of ours in its folder; objects that are not laid out as ours are not among them. */
  readonly objects: readonly CatalogueObject[];
  readonly state: BackupState;
  /** The name of the snapshot object, and its size as the store has it. */
  readonly snapshot: { readonly suffix: string; readonly sizeBytes: number } | undefined;
  readonly hasManifest: boolean;
  /** When the manifest was stored, by the clock of the store. */
  readonly storedAt: Date | undefined;
  /** Until when nobody may remove manifest or snapshot, as far as the listing tells. */
  readonly lockedUntil: Date | undefined;
  /** Of the snapshot, where it is not the store's ordinary one. */
  readonly storageClass: string | undefined;
  readonly holds: readonly string[];
  /** Newest read-back that passed. */
  readonly verifiedAt: Date | undefined;
  readonly drilledAt: Date | undefined;
  readonly damagedAt: Date | undefined;
}

export interface Catalogue {
  /** Newest first. */
  readonly entries: readonly CatalogueEntry[];
  /** Objects below the prefix that are not laid out as ours: reported, never touched. */
  readonly foreignObjects: number;
}

/** The catalogue is the listing: one paged LIST, no request a backup. */
export async function readCatalogue(
  store: ObjectStore,
  cluster: string,
  lineage: string | undefined,
  signal: AbortSignal,
): Promise<Catalogue> {
  const folders = new Map<string, Folder>();
  let foreignObjects = 0;
  const prefix = lineage === undefined ? clusterPrefix(cluster) : lineagePrefix(cluster, lineage);
  for await (const object of store.list(prefix, signal)) {
    const parsed = parseKey(object.key);
    if (parsed === undefined || parsed.place.cluster !== cluster || parsed.role.kind === 'unknown') {
      foreignObjects++;
      continue;
    }
    const { place, role } = parsed;
    const name = `${place.lineage}/${place.id.text}`;
    const folder = folders.get(name) ?? { place, objects: [] };
    folders.set(name, folder);
    folder.objects.push({ ...object, role });
  }
  return { entries: [...folders.values()].map(toEntry).sort(newestFirst), foreignObjects };
}

interface Folder {
  readonly place: BackupPlace;
  readonly objects: CatalogueObject[];
}

/** Order of backups: by the time in the id, then by revision, never by the store's file times. */
export function newestFirst(a: CatalogueEntry, b: CatalogueEntry): number {
  const byTime = b.place.id.time.getTime() - a.place.id.time.getTime();
  if (byTime !== 0) return byTime;
  if (a.place.id.revision !== b.place.id.revision) return a.place.id.revision < b.place.id.revision ? 1 : -1;
  return a.place.id.text < b.place.id.text ? 1 : -1;
}

function toEntry({ place, objects }: Folder): CatalogueEntry {
  const manifest = objects.find(({ role }) => role.kind === 'manifest');
  const snapshot = objects.find(({ role }) => role.kind === 'snapshot');
  const facts = {
    snapshot:
      snapshot?.role.kind === 'snapshot' ? { suffix: snapshot.role.suffix, sizeBytes: snapshot.sizeBytes } : undefined,
    hasManifest: manifest !== undefined,
    verifiedAt: newestEvidence(objects, 'verified'),
    drilledAt: newestEvidence(objects, 'drilled'),
    damagedAt: newestEvidence(objects, 'damaged'),
  };
  return {
    place,
    objects,
    ...facts,
    state: judgeState(facts),
    storedAt: manifest?.modifiedAt,
    lockedUntil: latest([manifest?.lockedUntil, snapshot?.lockedUntil]),
    storageClass: snapshot?.storageClass,
    holds: objects.flatMap(({ role }) => (role.kind === 'hold' ? [role.name] : [])),
  };
}

function judgeState({
  hasManifest,
  snapshot,
  verifiedAt,
  damagedAt,
}: Pick<CatalogueEntry, 'hasManifest' | 'snapshot' | 'verifiedAt' | 'damagedAt'>): BackupState {
  if (!hasManifest) return 'incomplete';
  if (snapshot === undefined || snapshot.sizeBytes === 0) return 'damaged';
  // A read-back that passed after the damage was seen proves that the store healed it.
  const healed = damagedAt !== undefined && verifiedAt !== undefined && verifiedAt > damagedAt;
  return damagedAt !== undefined && !healed ? 'damaged' : 'complete';
}

function newestEvidence(
  objects: readonly CatalogueObject[],
  kind: 'verified' | 'drilled' | 'damaged',
): Date | undefined {
  // A date beyond the object's own, from a clock that was wrong, would outlast everything that is found later.
  return latest(
    objects.map(({ role, modifiedAt }) => {
      if (role.kind !== kind) return undefined;
      return role.time > modifiedAt ? modifiedAt : role.time;
    }),
  );
}

function latest(times: readonly (Date | undefined)[]): Date | undefined {
  let found: Date | undefined;
  for (const time of times) if (time !== undefined && (found === undefined || time > found)) found = time;
  return found;
}

/** Enough to meet every cluster of a store that somebody asked under a wrong name. */
const maxObjectsLookedAt = 2000;

/** Names of other clusters that have backups in a store, as far as its first objects of others tell. */
export async function findClusters(store: ObjectStore, own: string, signal: AbortSignal): Promise<string[]> {
  const clusters = new Set<string>();
  let looked = 0;
  for await (const { key } of store.list('', signal)) {
    const parsed = parseKey(key);
    if (parsed?.place.cluster === own) continue;
    if (parsed !== undefined) clusters.add(parsed.place.cluster);
    looked += 1;
    if (looked === maxObjectsLookedAt) break;
  }
  return [...clusters];
}
