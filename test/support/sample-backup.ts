import type { Inspection } from '../../src/inspect/inspection.ts';
import { buildManifest, type ManifestFacts } from '../../src/manifest/build-manifest.ts';
import { encodeManifest } from '../../src/manifest/manifest.ts';
import type { Manifest } from '../../src/manifest/schema.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { makeBackupId } from '../../src/repository/backup-id.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';

/** Backups as they stand in a repository, with made-up facts. */

export const cluster = 'prod';
export const lineage = '0123456789abcdef';
const sha256 = 'ab'.repeat(32);
const endless = new AbortController().signal;

/** A place whose id differs for every combination of its arguments. */
export function placeAt(time: string, revision = 7n, random = 1): BackupPlace {
  return { cluster, lineage, id: makeBackupId(new Date(time), revision, new Uint8Array(5).fill(random)) };
}

export function sampleInspection(changes: Partial<Inspection> = {}): Inspection {
  return {
    verdict: 'sound',
    damage: [],
    damageCount: 0,
    sizeBytes: 20512,
    databaseBytes: 20480,
    pageSizeBytes: 4096,
    trailer: 'matches',
    sha256,
    trailerSha256: sha256,
    hash: 0xdeadbeef,
    kvHash: { hash: 0x1234, revision: 8n, compactRevision: 3n },
    kvHashSkipped: undefined,
    revision: 8n,
    newestEntryRevision: 8n,
    compactRevision: 3n,
    totalEntries: 12,
    liveKeys: 4,
    storageVersion: '3.6.0',
    clusterVersion: '3.6.0',
    consistentIndex: 20n,
    term: 2n,
    encryptionProviders: [],
    largestPrefixes: [],
    ...changes,
  };
}

export function sampleFacts(place: BackupPlace, changes: Partial<ManifestFacts> = {}): ManifestFacts {
  return {
    id: place.id.text,
    toolVersion: '0.1.0',
    cluster: { name: place.cluster, lineage: place.lineage },
    member: { id: '00000000000000a1', name: 'm1', version: '3.6.16', role: 'follower', raftTerm: '2', raftIndex: '20' },
    readRevision: place.id.revision,
    noReadBecause: undefined,
    inspection: sampleInspection(),
    skippedMembers: [],
    liveMembers: [],
    compression: { algorithm: 'none' },
    encryption: 'none',
    stored: { object: 'snapshot.db', sizeBytes: 5, sha256 },
    timings: {
      startedAt: place.id.time.toISOString(),
      streamedAt: place.id.time.toISOString(),
      committedAt: place.id.time.toISOString(),
      streamHeldMs: 12,
    },
    tags: {},
    ...changes,
  };
}

export function sampleManifest(place: BackupPlace, changes: Partial<ManifestFacts> = {}): Manifest {
  return buildManifest(sampleFacts(place, changes));
}

/** Stores a snapshot of five bytes and its manifest. */
export async function storeBackup(
  store: Pick<ObjectStore, 'create'>,
  place: BackupPlace,
  changes: Partial<ManifestFacts> = {},
): Promise<void> {
  await store.create(objectKey(place, snapshotName('')), Buffer.from('bytes'), endless);
  await store.create(objectKey(place, manifestName), encodeManifest(sampleManifest(place, changes)), endless);
}
