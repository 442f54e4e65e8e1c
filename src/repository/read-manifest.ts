import { decodeManifest, manifestMaxBytes } from '../manifest/manifest.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestName, objectKey, type BackupPlace } from './layout.ts';
import { readSmallObject } from './read-small-object.ts';

/** The manifest at `place`, checked to belong there. Rejects with `manifest-invalid` or `store-*`. */
export async function readManifest(store: ObjectStore, place: BackupPlace, signal: AbortSignal): Promise<Manifest> {
  const bytes = await readSmallObject(store, objectKey(place, manifestName), manifestMaxBytes, signal);
  return decodeManifest(bytes, { cluster: place.cluster, lineage: place.lineage, id: place.id.text });
}
