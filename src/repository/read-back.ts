import { isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import { manifestMaxBytes } from '../manifest/manifest.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestName, objectKey, type BackupPlace } from './layout.ts';
import { readSmallObject } from './read-small-object.ts';
import { withinLimit } from './within-limit.ts';

/** Something about a stored backup that was left open, mostly because this role may not read in that repository. */
export interface Unchecked {
  /** `read-back`: that the store gives back what it took. `own-manifest`: that the manifest it had already is of this run. */
  readonly what: 'read-back' | 'own-manifest';
  /** Why: the store's refusal, or that it did not answer in time. */
  readonly because: string;
}

/** The backup stands by then: nobody waits long for a store that took it and is slow to show it. */
const readBackLimitMs = 10_000;

/** Whether these very bytes are stored under `key`. */
export async function holdsManifest(
  store: ObjectStore,
  key: string,
  manifest: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return Buffer.compare(await readSmallObject(store, key, manifestMaxBytes, signal), manifest) === 0;
  } catch (error) {
    if (isWardenError(error, 'object-damaged')) return false;
    throw error;
  }
}

/**
 * Reads a manifest that the store has confirmed. Resolves with what kept it from being read, such as a missing right: no
 * fault of the backup. Rejects where the store shows something else, or nothing.
 */
export async function readManifestBack(
  store: ObjectStore,
  place: BackupPlace,
  manifest: Uint8Array,
  signal: AbortSignal,
): Promise<WardenError | undefined> {
  const key = objectKey(place, manifestName);
  const over = new AbortController();
  try {
    const reading = holdsManifest(store, key, manifest, AbortSignal.any([signal, over.signal]));
    if (await withinLimit(reading, readBackLimitMs, tooSlow, signal)) return undefined;
  } catch (error) {
    if (!isWardenError(error, 'store-object-missing')) return toWardenError(error);
    throw new WardenError('store-object-missing', `the store confirmed ${key} and does not have it: ${error.message}`, {
      details: { key },
      cause: error,
    });
  } finally {
    over.abort();
  }
  throw new WardenError('object-damaged', `the store gives back other bytes under ${key} than it has confirmed`, {
    details: { key },
  });
}

function tooSlow(): WardenError {
  return new WardenError('store-timeout', `the manifest was not read back within ${readBackLimitMs / 1000} s`);
}
