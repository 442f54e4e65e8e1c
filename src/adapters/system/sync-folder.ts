import { open } from 'node:fs/promises';

/** Makes the names in a folder durable. Where a file system can't do that for a folder (some CIFS), there is no more to do. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Source: fsync(2), EINVAL: "fd is bound to a special file which does not support synchronization".
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  }
}
