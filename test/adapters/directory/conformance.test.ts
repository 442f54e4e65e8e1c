import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import { describeObjectStoreConformance } from '../../conformance/object-store.ts';

describeObjectStoreConformance('a directory store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'warden-directory-'));
  const store = createDirectoryStore({ path: root });
  return {
    store,
    partSizeBytes: 3 * 1024 ** 2,
    leftovers: async () => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const isLeftover = (path: string, isFolder: boolean) =>
        isFolder ? !files.some((file) => file.startsWith(`${path}/`)) : /\/\.[^/]*$/.test(path);
      return entries
        .filter((entry) => isLeftover(join(entry.parentPath, entry.name), entry.isDirectory()))
        .map((entry) => entry.name);
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
});
