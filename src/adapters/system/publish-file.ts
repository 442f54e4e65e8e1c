import { access, link, open, rename, unlink } from 'node:fs/promises';

/**
 * What `link` fails with where there are no hard links: EPERM on vfat and exFAT (link(2), "ERRORS"), the others on CIFS and
 * on FUSE.
 */
const noHardLinks: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'ENOSYS']);

/**
 * Makes the finished file `temporary` visible as `path`, create-only: `EEXIST` if that name is taken. On other failures
 * `path` is not there. `temporary` may still be there afterwards, as a second name.
 */
export async function publishFile(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!noHardLinks.has((error as NodeJS.ErrnoException).code)) throw error;
    await claimAndRename(temporary, path);
  }
}

/**
 * A rename alone would replace what is there. So the name is claimed first, by an empty file, which one writer at most can
 * make; then the file takes the place of its own claim. A process that dies in between leaves the empty file: never a
 * part of the bytes, nothing that could pass for a snapshot or a manifest, and removed as what any other interrupted
 * backup left.
 */
async function claimAndRename(temporary: string, path: string): Promise<void> {
  // One that was cleared away meanwhile must not stand in the way of another.
  await access(temporary);
  const claim = await open(path, 'wx', 0o600);
  try {
    await claim.close();
    await rename(temporary, path);
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}
