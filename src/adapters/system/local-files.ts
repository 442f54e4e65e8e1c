import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';
import type { LocalBytes, LocalFiles, NewFile } from '../../ports/local-files.ts';
import { endsWithin, noAnswer, releaseLimitMs } from './ends-within.ts';
import { publishFile } from './publish-file.ts';
import { syncFolder } from './sync-folder.ts';
import { WriteQueue } from './write-queue.ts';

const readBlockBytes = 1024 * 1024;

/** `onLeftover` is told of what a file that was given up left behind: a part of a snapshot, in plain text. */
export function createLocalFiles(onLeftover?: (error: WardenError) => void): LocalFiles {
  return { create: (path) => createFile(path, onLeftover), read: readFile };
}

async function createFile(target: string, onLeftover?: (error: WardenError) => void): Promise<NewFile> {
  const path = resolve(target);
  if (await exists(path)) throw targetExists(path);
  const temporary = join(dirname(path), `.${basename(path)}.part-${randomBytes(4).toString('hex')}`);
  // A snapshot holds every secret of the cluster: for its owner alone, and never through a link.
  const handle = await attempt(path, 'create', () => open(temporary, 'wx', 0o600));
  const queue = new WriteQueue(handle);
  let isVisible = false;
  let isCommitted = false;
  const clearAway = async (): Promise<void> => {
    await queue.abandon();
    // What a close says of bytes that are given up does not matter, and closing twice does nothing.
    await handle.close().catch(() => undefined);
    if (isVisible) await unlinkIfThere(path);
    await unlinkIfThere(temporary);
  };
  return {
    path,
    write: (block) => attempt(path, 'write', () => queue.push(block)),
    commit: async () => {
      await attempt(path, 'write', () => queue.drain());
      await attempt(path, 'sync', () => handle.sync());
      await attempt(path, 'close', () => handle.close());
      await attempt(path, 'create', () => publishFile(temporary, path));
      isVisible = true;
      await attempt(path, 'remove temporary of', () => unlinkIfThere(temporary));
      await attempt(path, 'sync folder of', () => syncFolder(dirname(path)));
      isCommitted = true;
    },
    /** Never rejects: the error that ended the work matters more. */
    [Symbol.asyncDispose]: async () => {
      if (isCommitted) return;
      try {
        if (!(await endsWithin(releaseLimitMs, clearAway()))) throw noAnswer();
      } catch (error) {
        onLeftover?.(fileFailed(temporary, 'clear away', error));
      }
    },
  };
}

function readFile(source: string): LocalBytes {
  const path = resolve(source);
  return { path, [Symbol.asyncIterator]: () => readBlocks(path) };
}

async function* readBlocks(path: string): AsyncGenerator<Uint8Array, void> {
  const stream = createReadStream(path, { highWaterMark: readBlockBytes });
  try {
    for await (const block of stream) yield block as Buffer;
  } catch (error) {
    throw fileFailed(path, 'read', error);
  } finally {
    stream.destroy();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function attempt<T>(path: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw targetExists(path);
    throw fileFailed(path, verb, error);
  }
}

function targetExists(path: string): WardenError {
  return new WardenError('target-exists', `${path} exists already`, { details: { path } });
}

function fileFailed(path: string, verb: string, cause: unknown): WardenError {
  const code = (cause as NodeJS.ErrnoException).code ?? describeThrown(cause);
  const meanings: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    ENOSPC: 'no space left',
    EISDIR: 'it is a folder',
    EROFS: 'the file system is read-only',
  };
  const meaning = meanings[code] === undefined ? code : `${meanings[code]} (${code})`;
  return new WardenError('file-failed', `cannot ${verb} ${path}: ${meaning}`, { details: { path, code }, cause });
}
