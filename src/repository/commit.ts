import { isWardenError, WardenError } from '../errors/warden-error.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestName, objectKey, type BackupPlace } from './layout.ts';
import { holdsManifest } from './read-back.ts';

/**
 * Stores the manifest, create-only: the commit point of a backup. Where the name is taken already, an earlier attempt
 * of ours may have arrived without its answer; that is so if the very same bytes are there, else `commit-conflict`.
 * A role that may only write cannot look; but the key holds 40 random bits of this very run, so nobody else made it: then
 * it resolves with the refusal.
 */
export async function commitManifest(
  store: ObjectStore,
  place: BackupPlace,
  manifest: Uint8Array,
  signal: AbortSignal,
): Promise<WardenError | undefined> {
  const key = objectKey(place, manifestName);
  try {
    await store.create(key, manifest, signal);
    return undefined;
  } catch (error) {
    if (!isWardenError(error, 'store-object-exists')) throw error;
    return await compareWithFound(store, key, manifest, error, signal);
  }
}

async function compareWithFound(
  store: ObjectStore,
  key: string,
  manifest: Uint8Array,
  found: WardenError,
  signal: AbortSignal,
): Promise<WardenError | undefined> {
  try {
    if (await holdsManifest(store, key, manifest, signal)) return undefined;
  } catch (error) {
    if (isWardenError(error, 'store-access-denied')) return error;
    throw error;
  }
  throw new WardenError('commit-conflict', `another manifest is stored under ${key}`, {
    details: { key },
    cause: found,
  });
}
