import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectBody } from '../../ports/object-store.ts';
import { orInterrupted } from '../store-layers/interruption.ts';
import { endsWithin, releaseLimitMs } from '../system/ends-within.ts';
import { converted, systemCode } from './errors.ts';
import { haveFolders } from './folders.ts';
import type { ObjectPath } from './object-path.ts';

const blockBytes = 1024 ** 2;

/** Opens an object from `offset` on. The body holds a file handle until it is read to the end or disposed. */
export async function openObject(
  root: string,
  path: ObjectPath,
  offset: number,
  signal: AbortSignal,
): Promise<ObjectBody> {
  const opening = (): Promise<OpenFile> => converted(`read ${path.filePath}`, () => openFile(root, path));
  const { handle, sizeBytes } = await orInterrupted(signal, opening, ({ handle: late }) => close(late));
  if (offset > 0 && offset >= sizeBytes) {
    await close(handle);
    throw new WardenError(
      'store-refused',
      `${path.filePath} has ${sizeBytes} bytes; it cannot be read from byte ${offset} on.`,
    );
  }
  let closing: Promise<void> | undefined;
  const release = (): Promise<void> => (closing ??= close(handle));
  return {
    sizeBytes: sizeBytes - offset,
    async *[Symbol.asyncIterator]() {
      try {
        yield* readBlocks(handle, path, offset, sizeBytes, signal);
      } finally {
        await release();
      }
    },
    [Symbol.asyncDispose]: release,
  };
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

async function openFile(root: string, path: ObjectPath): Promise<OpenFile> {
  const handle = await openIfThere(root, path);
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, sizeBytes: stats.size };
    throw new WardenError('store-not-writable', `${path.filePath} must be a regular file of the store.`);
  } catch (error) {
    await close(handle);
    throw error;
  }
}

async function openIfThere(root: string, path: ObjectPath): Promise<FileHandle> {
  const missing = () => new WardenError('store-object-missing', `${path.filePath} does not exist.`);
  if (!(await haveFolders(root, path.folders))) throw missing();
  try {
    // Without NONBLOCK opening a pipe that somebody put there would wait for ever.
    return await open(path.filePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? missing() : error;
  }
}

async function* readBlocks(
  handle: FileHandle,
  path: ObjectPath,
  offset: number,
  endsAt: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let position = offset; position < endsAt;) {
    const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, endsAt - position));
    const at = position;
    const read = () => converted(`read ${path.filePath}`, () => handle.read(block, 0, block.length, at));
    const { bytesRead } = await orInterrupted(signal, read);
    if (bytesRead === 0) {
      throw new WardenError('store-failed', `${path.filePath} ended after ${position} of ${endsAt} bytes.`);
    }
    position += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}

/** Waits for a read under way, which a hung mount may never answer; what was read is not at stake. */
async function close(handle: FileHandle): Promise<void> {
  await endsWithin(releaseLimitMs, handle.close());
}
