import type { UnfinishedUpload } from '../../ports/object-store.ts';
import { orInterrupted } from '../store-layers/interruption.ts';
import { converted, toStoreError } from './errors.ts';
import { haveFolders, removeEmptyFolders, unlinkIfThere } from './folders.ts';
import { fileNameOfTemporary, isKey, objectPath } from './object-path.ts';
import { walkFiles } from './walk.ts';

/**
 * The temporary files of uploads, those under way included. What only looks hidden or is not a regular file is a
 * stranger's and is passed by.
 */
export async function* findUnfinishedUploads(
  root: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<UnfinishedUpload> {
  try {
    for await (const { path, key, stats } of walkFiles(root, prefix, fileNameOfTemporary, signal)) {
      if (!isKey(key)) continue;
      yield {
        key,
        touchedAt: stats.mtime,
        abort: async (stop) => await orInterrupted(stop, () => removeTemporary(root, path, key)),
      };
    }
  } catch (thrown) {
    throw toStoreError(thrown, `look for unfinished uploads in ${root}`);
  }
}

/** Nothing is synced: a file that comes back after a crash is found again. */
async function removeTemporary(root: string, temporaryPath: string, key: string): Promise<void> {
  const { folders, folderPath } = objectPath(root, key);
  await converted(`remove ${temporaryPath}`, async () => {
    if (!(await haveFolders(root, folders))) return;
    await unlinkIfThere(temporaryPath);
    await removeEmptyFolders(root, folderPath);
  });
}
