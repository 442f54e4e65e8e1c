import { mkdtemp, open, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { syncFolder } from '../../../src/adapters/system/sync-folder.ts';

it.each([
  ['takes it where folders cannot be synced', 'EINVAL', 'resolves'],
  ['rejects when the disk fails', 'EIO', 'rejects'],
])('%s', async (_, code, outcome) => {
  const folder = await mkdtemp(join(tmpdir(), 'warden-sync-'));
  await using handle = await open(folder, 'r');
  const everyHandle = Object.getPrototypeOf(handle) as typeof handle;
  const sync = vi.spyOn(everyHandle, 'sync').mockRejectedValue(Object.assign(new Error(code), { code }));
  try {
    const synced = syncFolder(folder).then(
      () => 'resolves',
      () => 'rejects',
    );
    expect(await synced).toBe(outcome);
    expect(sync).toHaveBeenCalledTimes(1);
  } finally {
    sync.mockRestore();
    await rmdir(folder);
  }
});
