import type { RemovalOutcome } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { toStoreError } from './errors.ts';
import { haveFolders, removeEmptyFolders, syncRemoval, unlinkIfThere } from './folders.ts';
import { objectPath, type ObjectPath } from './object-path.ts';

/**
 * Removes objects folder by folder, so that many in one folder are made durable by one sync. Folders that are empty then
 * go as well. Begins no further removal once `signal` is aborted.
 */
export async function removeObjects(
  root: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<RemovalOutcome[]> {
  const removals = keys.map((key) => beginRemoval(root, key));
  const accepted = removals.filter((removal) => removal.path !== undefined);
  for (const inFolder of Map.groupBy(accepted, ({ path }) => path.folderPath).values()) {
    await removeFromFolder(root, inFolder, signal);
  }
  return removals.map(({ outcome }) => outcome);
}

/** Counts as removed until something says otherwise. */
interface Removal {
  readonly path: ObjectPath;
  outcome: RemovalOutcome;
}

interface RefusedRemoval {
  readonly path: undefined;
  readonly outcome: RemovalOutcome;
}

function beginRemoval(root: string, key: string): Removal | RefusedRemoval {
  try {
    return { path: objectPath(root, key), outcome: removed };
  } catch (thrown) {
    return { path: undefined, outcome: failed(thrown, `remove ${JSON.stringify(key)}`) };
  }
}

async function removeFromFolder(root: string, removals: readonly Removal[], signal: AbortSignal): Promise<void> {
  const gone: Removal[] = [];
  for (const removal of removals) {
    throwIfInterrupted(signal);
    try {
      // Looked at for every object again: a folder that became a link meanwhile would lead out of the store.
      if (!(await haveFolders(root, removal.path.folders))) continue;
      await unlinkIfThere(removal.path.filePath);
      gone.push(removal);
    } catch (thrown) {
      removal.outcome = failed(thrown, `remove ${removal.path.filePath}`);
    }
  }
  const [first] = gone;
  if (first !== undefined) await settleFolder(root, first.path.folderPath, gone);
}

/**
 * Also for what was not there: an earlier call may have removed it and failed to sync. As long as an object may come back
 * after a crash it does not count as removed, lest a manifest comes back after its snapshot went.
 */
async function settleFolder(root: string, folderPath: string, gone: readonly Removal[]): Promise<void> {
  try {
    await syncRemoval(root, folderPath);
  } catch (thrown) {
    for (const removal of gone) {
      removal.outcome = failed(thrown, `make the removal of ${removal.path.filePath} durable`);
    }
    return;
  }
  await removeEmptyFolders(root, folderPath);
}

const removed: RemovalOutcome = { kind: 'removed', isKeptAsVersion: false };

function failed(thrown: unknown, doing: string): RemovalOutcome {
  return { kind: 'failed', error: toStoreError(thrown, doing) };
}
