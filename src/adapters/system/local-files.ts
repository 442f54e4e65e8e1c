import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import type { LocalBytes, LocalFiles, NewFile } from '../../ports/local-files.ts';
import { WriteQueue } from './write-queue.ts';

const readBlockBytes = 1024 * 1024;

export const localFiles: LocalFiles = { create: createFile, read: readFile };

async function createFile(target: string): Promise<NewFile> {
  const path = resolve(target);
  if (await exists(path)) throw targetExists(path);
  const temporary = join(dirname(path), `.${basename(path)}.part-${randomBytes(4).toString('hex')}`);
  // A snapshot holds every secret of the cluster: for its owner alone, and never through a link.
  const handle = await attempt(path, 'create', () => open(temporary, 'wx', 0o600));
  const queue = new WriteQueue(handle);
  let state: 'writing' | 'closed' = 'writing';
  return {
    path,
    write: (block) => attempt(path, 'write', () => queue.push(block)),
    commit: async () => {
      await attempt(path, 'write', () => queue.drain());
      await attempt(path, 'sync', () => handle.sync());
      await attempt(path, 'close', () => handle.close());
      state = 'closed';
      await attempt(path, 'create', () => link(temporary, path));
      await attempt(path, 'remove temporary of', () => unlink(temporary));
      await attempt(path, 'sync folder of', () => syncFolder(dirname(path)));
    },
    [Symbol.asyncDispose]: async () => {
      await queue.settle();
      if (state === 'writing') await handle.close().catch(() => undefined);
      await unlink(temporary).catch(() => undefined);
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

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
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
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
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
