import { isWardenError } from '../errors/warden-error.ts';
import { decodeDamage, encodeEvidence, evidenceMaxBytes, type Evidence } from '../manifest/evidence.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { evidenceName, objectKey, type BackupPlace } from './layout.ts';
import { readSmallObject } from './read-small-object.ts';

/** Writes down beside a backup what was found about it, with whole seconds in the name. It goes when the backup goes. */
export async function recordEvidence(
  store: ObjectStore,
  place: BackupPlace,
  found: Omit<Evidence, 'backup'>,
  signal: AbortSignal,
): Promise<void> {
  const key = objectKey(place, evidenceName(found.kind, found.at));
  try {
    await store.create(key, encodeEvidence({ ...found, backup: place.id.text }), signal, { removable: true });
  } catch (error) {
    // Two read-backs in one second came to the same end: one record is enough.
    if (!isWardenError(error, 'store-object-exists')) throw error;
  }
}

/** What was found damaged at `time`, in words; undefined where its record cannot be read. */
export async function readDamage(
  store: ObjectStore,
  place: BackupPlace,
  time: Date,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const key = objectKey(place, evidenceName('damaged', time));
    return decodeDamage(await readSmallObject(store, key, evidenceMaxBytes, signal));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
