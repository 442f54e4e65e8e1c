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
  /** Of the object that the file is, or is for. */
  readonly key: string;
  readonly stats: Stats;
}

/** The last part of the key that a file belongs to, by the file's name; undefined for a file to pass by. */
export type ObjectNameOf = (fileName: string) => string | undefined;

/**
 * Every regular file below `root` that belongs to a key that starts with `prefix`, in the order of the paths' bytes: that
 * of the keys, where files are named like their objects. Only folders that can hold such keys are opened; links are not
 * followed.
 */
export async function* walkFiles(
  root: string,
  prefix: string,
  objectNameOf: ObjectNameOf,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  await orInterrupted(signal, () => requireRoot(root));
  yield* walkFolder({ root, prefix, objectNameOf, signal }, '');
}

interface Walk {
  readonly root: string;
  readonly prefix: string;
  readonly objectNameOf: ObjectNameOf;
  readonly signal: AbortSignal;
}

async function* walkFolder(walk: Walk, folderKey: string): AsyncGenerator<FoundFile> {
  const entries = await orInterrupted(walk.signal, () => sortedEntries(join(walk.root, folderKey)));
  for (const entry of entries) {
    if (entry.isDirectory()) {
      const innerKey = `${folderKey}${entry.name}/`;
      const mayHold = innerKey.startsWith(walk.prefix) || walk.prefix.startsWith(innerKey);
      if (mayHold && isKeyPart(entry.name) && !isRootOnlyFolder(folderKey, entry.name))
        yield* walkFolder(walk, innerKey);
    } else if (entry.isFile()) {
      const objectName = walk.objectNameOf(entry.name);
      if (objectName === undefined || !(folderKey + objectName).startsWith(walk.prefix)) continue;
      const path = join(walk.root, folderKey, entry.name);
      const stats = await orInterrupted(walk.signal, () => statIfThere(path));
      if (stats?.isFile()) yield { path, key: folderKey + objectName, stats };
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
