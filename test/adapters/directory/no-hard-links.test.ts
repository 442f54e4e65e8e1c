import type * as FileSystem from 'node:fs/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import { describeObjectStoreConformance } from '../../conformance/object-store.ts';

/** As on vfat, whose volumes cannot be mounted everywhere that tests run. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  return { ...original, link: () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })) };
});

describeObjectStoreConformance('a directory store on a volume without hard links', async () => {
  const root = await mkdtemp(join(tmpdir(), 'warden-no-links-'));
  return {
    store: createDirectoryStore({ path: root }),
    partSizeBytes: 1024 ** 2,
    leftovers: async () => {
      const names = await readdir(root, { recursive: true });
      return names.filter((name) => name.includes('.part-'));
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
});
