import { isWardenError, WardenError } from '../errors/warden-error.ts';
import { decodeHold, encodeHold, holdMaxBytes, type Hold } from '../manifest/hold.ts';
import type { ObjectStore, RemovalOutcome } from '../ports/object-store.ts';
import { holdName, manifestName, objectKey, type BackupPlace } from './layout.ts';
import { readSmallObject } from './read-small-object.ts';

export type Held =
  | { readonly kind: 'held' }
  /** A hold of that name stood there already; `hold` is undefined where it cannot be read. */
  | { readonly kind: 'held-already'; readonly hold: Hold | undefined };

/**
 * Writes a hold beside a backup, create-only, and looks whether the backup still stands: a prune that had looked for holds
 * before this one came may have removed it. Then `backup-not-found`, and no hold of ours stays.
 */
export async function placeHold(
  store: ObjectStore,
  place: BackupPlace,
  wanted: Omit<Hold, 'backup'>,
  signal: AbortSignal,
): Promise<Held> {
  const hold = { ...wanted, backup: place.id.text };
  const held = await createHold(store, place, hold, signal);
  if ((await store.stat(objectKey(place, manifestName), signal)) !== undefined) return held;
  const left = held.kind === 'held' ? await takeBack(store, place, hold.name, signal) : '';
  throw new WardenError('backup-not-found', `${hold.backup} was removed while it was about to be held${left}`, {
    details: { backup: hold.backup },
  });
}

async function createHold(store: ObjectStore, place: BackupPlace, hold: Hold, signal: AbortSignal): Promise<Held> {
  try {
    await store.create(objectKey(place, holdName(hold.name)), encodeHold(hold), signal, { removable: true });
    return { kind: 'held' };
  } catch (error) {
    if (!isWardenError(error, 'store-object-exists')) throw error;
    const found = await readHold(store, place, hold.name, signal);
    // An earlier attempt of ours may have arrived without its answer.
    const isOurs = found?.reason === hold.reason && found.at.getTime() === hold.at.getTime();
    return isOurs ? { kind: 'held' } : { kind: 'held-already', hold: found };
  }
}

/** What to add to the message where the hold could not be removed again. */
async function takeBack(store: ObjectStore, place: BackupPlace, name: string, signal: AbortSignal): Promise<string> {
  const outcome = await removeHold(store, place, name, signal);
  if (outcome.kind === 'removed') return '';
  const because = outcome.kind === 'failed' ? outcome.error.message : 'the store locks it';
  return `; ${objectKey(place, holdName(name))} stays behind: ${because}`;
}

/** Removes a hold. That there is none any more is as good; that the store does not allow it is an outcome. */
export async function removeHold(
  store: ObjectStore,
  place: BackupPlace,
  name: string,
  signal: AbortSignal,
): Promise<RemovalOutcome> {
  const [outcome] = await store.removeAll([objectKey(place, holdName(name))], signal);
  return (
    outcome ?? { kind: 'failed', error: new WardenError('store-failed', 'the store told no outcome of a removal') }
  );
}

/** A hold as it was written down; undefined where that cannot be read. */
export async function readHold(
  store: ObjectStore,
  place: BackupPlace,
  name: string,
  signal: AbortSignal,
): Promise<Hold | undefined> {
  try {
    return decodeHold(await readSmallObject(store, objectKey(place, holdName(name)), holdMaxBytes, signal));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
