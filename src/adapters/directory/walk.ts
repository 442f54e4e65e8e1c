import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys } from '../store-layers/compare-keys.ts';
import { orInterrupted } from '../store-layers/interruption.ts';
import { systemCode } from './errors.ts';
import { requireRoot } from './folders.ts';
import { isKeyPart } from './object-path.ts';

export interface FoundFile {
  readonly path: string;
  /** The object's key; for a file that is no object, what its key would be. */
  readonly key: string;
  readonly name: string;
  readonly stats: Stats;
}

/**
 * Every regular file below `root` whose key starts with `prefix`, in the order of the keys' bytes. Only folders that can
 * hold such keys are opened; links are not followed. `isWanted` picks by name before a file is looked at.
 */
export async function* walkFiles(
  root: string,
  prefix: string,
  isWanted: (name: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  await orInterrupted(signal, () => requireRoot(root));
  yield* walkFolder({ root, prefix, isWanted, signal }, '');
}

interface Walk {
  readonly root: string;
  readonly prefix: string;
  readonly isWanted: (name: string) => boolean;
  readonly signal: AbortSignal;
}

async function* walkFolder(walk: Walk, folderKey: string): AsyncGenerator<FoundFile> {
  const entries = await orInterrupted(walk.signal, () => sortedEntries(join(walk.root, folderKey)));
  for (const entry of entries) {
    const key = folderKey + entry.name;
    if (entry.isDirectory()) {
      const mayHold = `${key}/`.startsWith(walk.prefix) || walk.prefix.startsWith(`${key}/`);
      if (mayHold && isKeyPart(entry.name) && !isRootOnlyFolder(folderKey, entry.name))
        yield* walkFolder(walk, `${key}/`);
    } else if (entry.isFile() && key.startsWith(walk.prefix) && walk.isWanted(entry.name)) {
      const path = join(walk.root, key);
      const stats = await orInterrupted(walk.signal, () => statIfThere(path));
      if (stats?.isFile()) yield { path, key, name: entry.name, stats };
    }
  }
}

/** A folder's keys all begin with its name and a slash, so that is what it is sorted by: `a-b` comes before `a/b`. */
async function sortedEntries(path: string): Promise<Dirent[]> {
  const entries = await entriesIfThere(path);
  const sortKey = (entry: Dirent) => (entry.isDirectory() ? `${entry.name}/` : entry.name);
  return entries.sort((left, right) => compareKeys(sortKey(left), sortKey(right)));
}

/** Every ext4 volume has one at its top, and only root may open it. */
function isRootOnlyFolder(folderKey: string, name: string): boolean {
  return folderKey === '' && name === 'lost+found';
}

/** Folders and files may be removed while a listing is under way. */
async function entriesIfThere(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
