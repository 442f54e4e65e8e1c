import type * as FileSystem from 'node:fs/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { openSpool } from '../../src/snapshot/spool.ts';
import { bytesOf, collect } from '../support/byte-streams.ts';

/** As on NFS, which cannot be mounted everywhere that tests run: every file has a name first. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  const open: typeof original.open = async (path, flags, mode) => {
    const { isDirectory } = await original.stat(path).then(
      (stats) => ({ isDirectory: stats.isDirectory() }),
      () => ({ isDirectory: false }),
    );
    if (isDirectory) throw Object.assign(new Error('EOPNOTSUPP'), { code: 'EOPNOTSUPP' });
    return original.open(path, flags, mode);
  };
  return { ...original, open };
});

// field: F156
it('a spool where files cannot do without a name has lost its own before anything is in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-warden-spool-test-'));
  try {
    await using spool = await openSpool({ directory, maxSizeBytes: 1000 });
    expect(await readdir(directory)).toEqual([]);
    const received = await collect(spool.through(bytesOf(Buffer.from('sealed')), new AbortController().signal));
    expect(received.toString()).toBe('sealed');
    expect(await readdir(directory)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
