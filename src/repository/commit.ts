import { isWardenError, WardenError } from '../errors/warden-error.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestMaxBytes } from '../manifest/manifest.ts';
import { readSmallObject } from './read-small-object.ts';
import { manifestName, objectKey, type BackupPlace } from './layout.ts';

/**
 * Stores the manifest, create-only: the commit point of a backup. Where the name is taken already, an earlier attempt
 * of ours may have arrived without its answer; that is so if the very same bytes are there, else `commit-conflict`.
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
    if (await isOurs(store, key, manifest, signal)) return;
    throw new WardenError('commit-conflict', `another manifest is stored under ${key}`, {
      details: { key },
      cause: error,
    });
  }
}

async function isOurs(store: ObjectStore, key: string, manifest: Uint8Array, signal: AbortSignal): Promise<boolean> {
  try {
    return Buffer.compare(await readSmallObject(store, key, manifestMaxBytes, signal), manifest) === 0;
  } catch (error) {
    // A role that may only write cannot look; but the key holds 40 random bits of this very run, so nobody else made it.
    if (isWardenError(error, 'store-access-denied')) return true;
    if (isWardenError(error, 'object-damaged')) return false;
    throw error;
  }
}
