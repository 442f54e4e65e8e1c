import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { LocalBytes, LocalFiles, NewFile } from '../../ports/local-files.ts';
import { orInterrupted } from '../store-layers/interruption.ts';
import { endsWithin, noAnswer, releaseLimitMs } from './ends-within.ts';
import { fileFailed, folderFailed, systemCode } from './file-errors.ts';
import { publishFile } from './publish-file.ts';
import { syncFolder } from './sync-folder.ts';
import { WriteQueue } from './write-queue.ts';

const readBlockBytes = 1024 * 1024;

/** `onLeftover` is told of what a file that was given up left behind: a part of a snapshot, in plain text. */
export function createLocalFiles(onLeftover?: (error: WardenError) => void): LocalFiles {
  return { create: (path, signal) => createFile(path, signal, onLeftover), read: readFile };
}

async function createFile(
  target: string,
  signal: AbortSignal,
  onLeftover?: (error: WardenError) => void,
): Promise<NewFile> {
  const path = resolve(target);
  const attempt = <T>(verb: string, work: () => Promise<T>, release?: (late: T) => Promise<void>): Promise<T> =>
    converted(path, verb, () => orInterrupted(signal, work, release));
  if (await attempt('create', () => exists(path))) throw targetExists(path);
  const temporary = join(dirname(path), `.${basename(path)}.part-${randomBytes(4).toString('hex')}`);
  // A snapshot holds every secret of the cluster: for its owner alone, and never through a link.
  const handle = await attempt(
    'create',
    () => open(temporary, 'wx', 0o600),
    async (late) => {
      await late.close();
      await unlinkIfThere(temporary);
    },
  );
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
    write: (block) => attempt('write', () => queue.push(block)),
    commit: async () => {
      await attempt('write', () => queue.drain());
      await attempt('sync', () => handle.sync());
      await attempt('close', () => handle.close());
      // From here on the file appears or does not: one that was let go of could still appear after it was cleared away.
      await converted(path, 'create', () => publishFile(temporary, path));
      isVisible = true;
      await converted(path, 'remove temporary of', () => unlinkIfThere(temporary));
      await converted(path, 'sync folder of', () => syncFolder(dirname(path)));
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

function readFile(source: string, signal: AbortSignal): LocalBytes {
  const path = resolve(source);
  return { path, [Symbol.asyncIterator]: () => readBlocks(path, signal) };
}

async function* readBlocks(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const stream = createReadStream(path, { highWaterMark: readBlockBytes });
  const blocks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, unknown>;
  try {
    for (;;) {
      // Opening a pipe waits until somebody writes to it.
      const step = await converted(path, 'read', () => orInterrupted(signal, () => blocks.next()));
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    stream.destroy();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function converted<T>(path: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isWardenError(error)) throw error;
    if (systemCode(error) === 'EEXIST') throw targetExists(path);
    throw (verb === 'create' ? await folderFailed(path, error) : undefined) ?? fileFailed(path, verb, error);
  }
}

function targetExists(path: string): WardenError {
  return new WardenError('target-exists', `${path} exists already`, { details: { path } });
}
