import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { FactGroup } from '../../ports/metrics-export.ts';
import { orInterrupted, throwIfInterrupted } from '../store-layers/interruption.ts';
import { fileFailed, systemCode } from '../system/file-errors.ts';
import { syncFolder } from '../system/sync-folder.ts';
import { writeText } from './exposition.ts';
import { withFileLock } from './file-lock.ts';
import { belongsToOthers, mergeFacts } from './merge-textfile.ts';

/** A hung mount answers nothing, and the work is done. */
const writeTimeoutMs = 5000;

/** Ours has some kilobytes. */
const maxBytes = 1024 * 1024;

/**
 * Writes a run's facts for node_exporter's textfile collector, beside those of other jobs and clusters that the file holds
 * already. Whoever reads it sees the old file or the new one, whole. Rejects with `textfile-unwritable`. Resolves with the
 * number of lines of the old file that could not be kept: they were damaged, or others wrote them.
 */
export async function writeTextfile(
  path: string,
  groups: readonly FactGroup[],
  signal: AbortSignal,
): Promise<{ readonly lostLines: number }> {
  return within(path, signal, (limited) =>
    withFileLock(besides(path, 'lock'), limited, async () => {
      const { families, lostLines } = mergeFacts(await readOld(path), groups);
      await replace(path, writeText(families), limited);
      return { lostLines };
    }),
  );
}

/** Rejects with `textfile-unwritable` where `writeTextfile` would, as far as that can be told beforehand. */
export async function checkTextfileTarget(path: string): Promise<void> {
  await within(path, new AbortController().signal, async () => {
    await readOld(path);
    // What rights say is not the whole truth: a file system may be read-only or full.
    const probe = temporaryOf(path);
    await (await open(probe, 'wx', 0o600)).close();
    await unlink(probe);
  });
}

async function readOld(path: string): Promise<string> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return '';
  if (!found.isFile()) throw unwritable(path, 'there is something that is no regular file');
  if (found.size > maxBytes) throw unwritable(path, `there is a file of ${found.size} bytes, which is none of ours`);
  const text = await readFile(path, 'utf8');
  if (belongsToOthers(text)) throw unwritable(path, 'there is a file with metrics of another program');
  return text;
}

async function replace(path: string, text: string, signal: AbortSignal): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    // node_exporter runs as another user.
    await file.chmod(0o644);
    await file.sync();
    // Nobody waits any more: what others wrote meanwhile is newer.
    throwIfInterrupted(signal);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** In the same folder, as only there a rename replaces; and of a name that node_exporter does not read. */
function temporaryOf(path: string): string {
  return besides(path, `part-${randomBytes(4).toString('hex')}`);
}

function besides(path: string, suffix: string): string {
  return join(dirname(path), `.${basename(path)}.${suffix}`);
}

async function within<T>(path: string, signal: AbortSignal, work: (limited: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(writeTimeoutMs);
  const limited = AbortSignal.any([signal, limit]);
  try {
    return await orInterrupted(limited, () => work(limited));
  } catch (error) {
    throwIfInterrupted(signal);
    if (limit.aborted) throw unwritable(path, `it was not done within ${writeTimeoutMs / 1000} s`, error);
    if (isWardenError(error, 'textfile-unwritable')) throw error;
    throw new WardenError('textfile-unwritable', fileFailed(path, 'write', error).message, {
      details: { path },
      cause: error,
    });
  }
}

function unwritable(path: string, reason: string, cause?: unknown): WardenError {
  return new WardenError('textfile-unwritable', `cannot write ${path}: ${reason}`, { details: { path }, cause });
}
