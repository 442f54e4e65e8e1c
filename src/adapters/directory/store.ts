import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { orInterrupted } from '../store-layers/interruption.ts';
import { converted, systemCode, toStoreError } from './errors.ts';
import { haveFolders } from './folders.ts';
import { isKeyPart, objectPath, type ObjectPath } from './object-path.ts';
import type { DirectoryStoreOptions } from './options.ts';
import { openObject } from './read-file.ts';
import { removeObjects } from './remove-objects.ts';
import { findUnfinishedUploads } from './unfinished-uploads.ts';
import { DirectoryUpload } from './upload.ts';
import { walkFiles } from './walk.ts';

/** A store in a directory that exists: every object is a file that only its owner may read. */
export function createDirectoryStore(options: DirectoryStoreOptions): ObjectStore {
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
    stat: async (key, signal) => await orInterrupted(signal, () => stat(root, at(key))),
    list: (prefix, signal) => listObjects(root, prefix, signal),
    removeAll: async (keys, signal) => await orInterrupted(signal, () => removeObjects(root, keys, signal)),
    unfinishedUploads: (prefix, signal) => findUnfinishedUploads(root, prefix, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function stat(root: string, path: ObjectPath): Promise<ObjectInfo | undefined> {
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
  try {
    for await (const { key, stats } of walkFiles(root, prefix, objectNameOf, signal)) {
      yield { key, sizeBytes: stats.size, modifiedAt: stats.mtime };
    }
  } catch (thrown) {
    throw toStoreError(thrown, `list ${root}`);
  }
}

/** A file is named like its object; what no key can name is a stranger's or a temporary file. */
function objectNameOf(fileName: string): string | undefined {
  return isKeyPart(fileName) ? fileName : undefined;
}
