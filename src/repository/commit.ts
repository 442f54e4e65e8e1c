import { isWardenError, WardenError } from '../errors/warden-error.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestMaxBytes } from '../manifest/manifest.ts';
import { readSmallObject } from './read-small-object.ts';
import { manifestName, objectKey, type BackupPlace } from './layout.ts';

/**
 * Stores the manifest, create-only: the commit point of a backup. Where the name is taken already, an earlier attempt
 * of ours may have arrived without its answer; that is so if and only if the very same bytes are there.
 */
export async function commitManifest(
  store: ObjectStore,
  place: BackupPlace,
  manifest: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const key = objectKey(place, manifestName);
  try {
    await store.create(key, manifest, signal);
  } catch (error) {
    if (!isWardenError(error, 'store-object-exists')) throw error;
    const stored = await readSmallObject(store, key, manifestMaxBytes, signal);
    if (Buffer.compare(stored, manifest) === 0) return;
    throw new WardenError('commit-conflict', `another manifest is stored under ${key}`, { details: { key }, cause: error });
  }
}
