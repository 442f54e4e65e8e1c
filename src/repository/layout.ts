import { parseBackupId, type BackupId } from './backup-id.ts';
import { formatTimeStamp, parseTimeStamp } from './time-stamp.ts';

/** Where a backup lies in a store. This file is the only maker and reader of object keys (docs/format.md). */
export interface BackupPlace {
  readonly cluster: string;
  /** The etcd cluster id, 16 hex digits. A cluster that was restored under a new token has another one. */
  readonly lineage: string;
  readonly id: BackupId;
}

/** What an object beside a backup is for. */
export type ObjectRole =
  | { readonly kind: 'snapshot'; readonly suffix: string }
  | { readonly kind: 'manifest' }
  | { readonly kind: 'verified' | 'drilled' | 'damaged'; readonly time: Date }
  | { readonly kind: 'hold'; readonly name: string }
  | { readonly kind: 'unknown'; readonly name: string };

export const manifestName = 'manifest.json';
const snapshotStem = 'snapshot.db';
const snapshotSuffixes = ['', '.zst', '.enc', '.zst.enc'];

/** The lineage of a cluster id as it is written in keys. */
export function formatLineage(clusterId: bigint): string {
  return clusterId.toString(16).padStart(16, '0');
}

export function clusterPrefix(cluster: string): string {
  return `${cluster}/`;
}

export function lineagePrefix(cluster: string, lineage: string): string {
  return `${cluster}/${lineage}/`;
}

export function backupPrefix(place: BackupPlace): string {
  return `${lineagePrefix(place.cluster, place.lineage)}${place.id.text}/`;
}

export function objectKey(place: BackupPlace, name: string): string {
  return backupPrefix(place) + name;
}

/** `snapshot.db` with the stages that were applied, in order: `.zst`, `.enc`. */
export function snapshotName(suffix: string): string {
  return snapshotStem + suffix;
}

export function evidenceName(kind: 'verified' | 'drilled' | 'damaged', time: Date): string {
  return `${kind}-${formatTimeStamp(time)}.json`;
}

export function holdName(name: string): string {
  return `hold-${name}.json`;
}

/** Reads a key back; undefined for objects that are not laid out as ours. */
export function parseKey(key: string): { readonly place: BackupPlace; readonly role: ObjectRole } | undefined {
  const parts = key.split('/');
  const [cluster, lineage, idText, name] = parts;
  if (parts.length !== 4 || !cluster || !name || lineage === undefined || !/^[0-9a-f]{16}$/.test(lineage))
    return undefined;
  const id = parseBackupId(idText ?? '');
  return id === undefined ? undefined : { place: { cluster, lineage, id }, role: parseRole(name) };
}

function parseRole(name: string): ObjectRole {
  if (name === manifestName) return { kind: 'manifest' };
  if (name.startsWith(snapshotStem)) {
    const suffix = name.slice(snapshotStem.length);
    if (snapshotSuffixes.includes(suffix)) return { kind: 'snapshot', suffix };
  }
  const [, kind, stamp] = /^(verified|drilled|damaged)-(.+)\.json$/.exec(name) ?? [];
  const time = parseTimeStamp(stamp ?? '');
  if (time !== undefined) return { kind: kind as 'verified' | 'drilled' | 'damaged', time };
  // Whoever puts a hold there by hand means it, whatever the name is.
  const [, hold] = /^hold-(.+?)(\.json)?$/.exec(name) ?? [];
  return hold === undefined ? { kind: 'unknown', name } : { kind: 'hold', name: hold };
}
