import { lstat, mkdir, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import { syncFolder } from '../system/sync-folder.ts';
import { systemCode } from './errors.ts';

/**
 * Makes the folders below `root`, one by one; resolves to those that were not there. The root is never made: where it is
 * missing, a volume is not mounted, and a backup beside the mount point would be one that nobody finds.
 */
export async function makeFolders(root: string, folders: readonly string[]): Promise<string[]> {
  await requireRoot(root);
  const made: string[] = [];
  let path = root;
  for (const folder of folders) {
    path = join(path, folder);
    try {
      await mkdir(path, { mode: 0o700 });
      made.push(path);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      await requireOwnFolder(path);
    }
  }
  return made;
}

/** Whether all folders are there. A symbolic link among them could lead out of the store: it is refused, not followed. */
export async function haveFolders(root: string, folders: readonly string[]): Promise<boolean> {
  await requireRoot(root);
  let path = root;
  for (const folder of folders) {
    path = join(path, folder);
    try {
      await requireOwnFolder(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
  }
  return true;
}

/** The root itself may be a link: the operator chose it. */
export async function requireRoot(root: string): Promise<void> {
  const found = await stat(root);
  if (!found.isDirectory()) throw new WardenError('store-not-writable', `${root} is not a directory.`);
}

/** Removes `folderPath` and the folders above it, up to the root, as long as they are empty. */
export async function removeEmptyFolders(root: string, folderPath: string): Promise<void> {
  for (let path = folderPath; path !== root; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch (error) {
      // Not empty, or somebody else was faster, or not ours to remove: no object is lost by leaving it.
      if (systemCode(error) !== 'ENOENT') return;
    }
  }
}

/** Resolves to whether there was something to remove. */
export async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Makes names durable: those in `folderPath`, and each folder's own name in the one above it, up to the root. */
export async function syncFolders(root: string, folderPath: string): Promise<void> {
  for (let path = folderPath; ; path = dirname(path)) {
    await syncFolder(path);
    if (path === root) return;
  }
}

/** Makes durable that names went from `folderPath`. Where somebody removed the folder since, the one above it tells that. */
export async function syncRemoval(root: string, folderPath: string): Promise<void> {
  for (let path = folderPath; ; path = dirname(path)) {
    try {
      return await syncFolder(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || path === root) throw error;
    }
  }
}

async function requireOwnFolder(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) return;
  const what = found.isSymbolicLink() ? 'a symbolic link' : 'no directory';
  throw new WardenError('store-not-writable', `${path} must be a directory of the store; it is ${what}.`);
}
