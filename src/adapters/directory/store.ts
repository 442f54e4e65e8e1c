import { lstat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo, SweepableStore } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { converted, systemCode, toStoreError } from './errors.ts';
import { haveFolders, removeEmptyFolders, syncFolders, unlinkIfThere } from './folders.ts';
import { isKeyPart, isTemporaryName, objectPath, type ObjectPath } from './object-path.ts';
import type { DirectoryStoreOptions } from './options.ts';
import { openObject } from './read-file.ts';
import { DirectoryUpload } from './upload.ts';
import { walkFiles } from './walk.ts';

/** A store in a directory that exists: every object is a file that only its owner may read. */
export function createDirectoryStore(options: DirectoryStoreOptions): SweepableStore {
  const root = resolve(options.path);
  const store = { ...options, path: root };
  const at = (key: string) => objectPath(root, key);
  return {
    description: root,
    create: async (key, body, signal) => {
      await using upload = await DirectoryUpload.start(store, at(key), body.length, signal);
      await upload.write(body);
      await upload.complete();
    },
    startUpload: async (key, { maxBytes }, signal) => await DirectoryUpload.start(store, at(key), maxBytes, signal),
    read: async (key, { offset = 0 }, signal) => await openObject(root, at(key), offset, signal),
    stat: async (key, signal) => await stat(root, at(key), signal),
    list: (prefix, signal) => listObjects(root, prefix, signal),
    remove: async (key, signal) => await remove(root, at(key), signal),
    removeAbandonedUploads: (prefix, startedBefore, signal) => removeTemporaries(root, prefix, startedBefore, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function stat(root: string, path: ObjectPath, signal: AbortSignal): Promise<ObjectInfo | undefined> {
  throwIfInterrupted(signal);
  return converted(`look at ${path.filePath}`, async () => {
    if (!(await haveFolders(root, path.folders))) return undefined;
    try {
      const stats = await lstat(path.filePath);
      if (stats.isFile()) return { key: path.key, sizeBytes: stats.size, modifiedAt: stats.mtime };
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    throw new WardenError('store-not-writable', `${path.filePath} must be a regular file of the store.`);
  });
}

async function* listObjects(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  throwIfInterrupted(signal);
  try {
    for await (const { key, stats } of walkFiles(root, prefix, isKeyPart, signal)) {
      yield { key, sizeBytes: stats.size, modifiedAt: stats.mtime };
    }
  } catch (thrown) {
    throw toStoreError(thrown, `list ${root}`);
  }
}

async function remove(root: string, path: ObjectPath, signal: AbortSignal): Promise<void> {
  throwIfInterrupted(signal);
  await converted(`remove ${path.filePath}`, async () => {
    if (!(await haveFolders(root, path.folders))) return;
    if (!(await unlinkIfThere(path.filePath))) return;
    await syncFolders(root, path.folderPath);
    await removeEmptyFolders(root, path.folderPath);
  });
}

async function removeTemporaries(
  root: string,
  prefix: string,
  startedBefore: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  await converted(`clear away temporary files in ${root}`, async () => {
    for await (const { path, key, name, stats } of walkFiles(root, folderOf(prefix), isTemporaryName, signal)) {
      // A running upload writes now and then, so the time of the last write is later than that of its begin.
      const objectKey = key.slice(0, -name.length) + name.slice(1);
      if (stats.mtime >= startedBefore || !objectKey.startsWith(prefix)) continue;
      if (await unlinkIfThere(path)) removed += 1;
      await removeEmptyFolders(root, dirname(path));
    }
  });
  return removed;
}

function folderOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1);
}
