import type { ObjectStore } from '../ports/object-store.ts';
import { clusterPrefix, lineagePrefix, parseKey, type BackupPlace } from './layout.ts';

/**
 * `complete`: manifest and snapshot are there. `incomplete`: remains of a run that did not finish, never a backup.
 * `damaged`: evidence says that it must not be counted or chosen, or its manifest stands without a snapshot.
 */
export type BackupState = 'complete' | 'incomplete' | 'damaged';

/** One backup as the listing alone tells it. */
export interface CatalogueEntry {
  readonly place: BackupPlace;
  readonly state: BackupState;
  /** The name of the snapshot object, and its size as the store has it. */
  readonly snapshot: { readonly suffix: string; readonly sizeBytes: number } | undefined;
  readonly hasManifest: boolean;
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
  const drafts = new Map<string, Draft>();
  let foreignObjects = 0;
  const prefix = lineage === undefined ? clusterPrefix(cluster) : lineagePrefix(cluster, lineage);
  for await (const object of store.list(prefix, signal)) {
    const parsed = parseKey(object.key);
    if (parsed === undefined || parsed.place.cluster !== cluster) {
      foreignObjects++;
      continue;
    }
    const { place, role } = parsed;
    const draftKey = `${place.lineage}/${place.id.text}`;
    const draft = drafts.get(draftKey) ?? newDraft(place);
    drafts.set(draftKey, draft);
    if (role.kind === 'manifest') draft.hasManifest = true;
    else if (role.kind === 'snapshot') draft.snapshot = { suffix: role.suffix, sizeBytes: object.sizeBytes };
    else if (role.kind === 'hold') draft.holds.push(role.name);
    else if (role.kind === 'unknown') foreignObjects++;
    else draft[role.kind] = later(draft[role.kind], role.time);
  }
  const entries = [...drafts.values()].map(finishDraft);
  return { entries: entries.sort(newestFirst), foreignObjects };
}

/** Order of backups: by the time in the id, then by revision, never by the store's file times. */
function newestFirst(a: CatalogueEntry, b: CatalogueEntry): number {
  const byTime = b.place.id.time.getTime() - a.place.id.time.getTime();
  if (byTime !== 0) return byTime;
  if (a.place.id.revision !== b.place.id.revision) return a.place.id.revision < b.place.id.revision ? 1 : -1;
  return a.place.id.text < b.place.id.text ? 1 : -1;
}

interface Draft {
  place: BackupPlace;
  hasManifest: boolean;
  snapshot: CatalogueEntry['snapshot'];
  holds: string[];
  verified: Date | undefined;
  drilled: Date | undefined;
  damaged: Date | undefined;
}

function newDraft(place: BackupPlace): Draft {
  return {
    place,
    hasManifest: false,
    snapshot: undefined,
    holds: [],
    verified: undefined,
    drilled: undefined,
    damaged: undefined,
  };
}

function finishDraft(draft: Draft): CatalogueEntry {
  return {
    place: draft.place,
    state: judgeState(draft),
    snapshot: draft.snapshot,
    hasManifest: draft.hasManifest,
    holds: draft.holds,
    verifiedAt: draft.verified,
    drilledAt: draft.drilled,
    damagedAt: draft.damaged,
  };
}

function judgeState(draft: Draft): BackupState {
  if (!draft.hasManifest) return 'incomplete';
  if (draft.snapshot === undefined || draft.snapshot.sizeBytes === 0) return 'damaged';
  // A read-back that passed after the damage was seen proves that the store healed it.
  const healed = draft.damaged !== undefined && draft.verified !== undefined && draft.verified > draft.damaged;
  return draft.damaged !== undefined && !healed ? 'damaged' : 'complete';
}

function later(known: Date | undefined, found: Date): Date {
  return known !== undefined && known > found ? known : found;
}

/** Enough to meet every cluster of a store that somebody asked under a wrong name. */
const maxObjectsLookedAt = 2000;

/** Names of clusters that have backups in a store, as far as its first objects tell. */
export async function findClusters(store: ObjectStore, signal: AbortSignal): Promise<string[]> {
  const clusters = new Set<string>();
  let looked = 0;
  for await (const { key } of store.list('', signal)) {
    const parsed = parseKey(key);
    if (parsed !== undefined) clusters.add(parsed.place.cluster);
    looked += 1;
    if (looked === maxObjectsLookedAt) break;
  }
  return [...clusters];
}
