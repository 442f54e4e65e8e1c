import { open, stat, unlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../system/file-errors.ts';

/** Nobody holds it for longer than a few seconds; what is older was left by a process that was killed. */
const staleAfterMs = 30_000;

const pollMs = 20;

/**
 * Does `work` while nobody else does any under the same lock: a file that one process at most can create. One that was left
 * behind is taken over once it is stale, so whatever is protected must bear two at once in that rare moment. Rejects as
 * the signal is aborted while it waits.
 */
export async function withFileLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  while (!(await take(path))) {
    await removeIfStale(path);
    await delay(pollMs, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfStale(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    // One from the future was made before the clock was set back.
    if (Math.abs(Date.now() - mtimeMs) > staleAfterMs) await unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
