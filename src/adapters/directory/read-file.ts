import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectBody } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
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
  throwIfInterrupted(signal);
  const file = await converted(`read ${path.filePath}`, () => openFile(root, path));
  try {
    const { size } = await converted(`read ${path.filePath}`, () => requireFile(file, path));
    if (offset > 0 && offset >= size) {
      throw new WardenError(
        'store-refused',
        `${path.filePath} has ${size} bytes; it cannot be read from byte ${offset} on.`,
      );
    }
    return {
      sizeBytes: size - offset,
      [Symbol.asyncIterator]: () => readBlocks(file, path, offset, size, signal),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(root: string, path: ObjectPath): Promise<FileHandle> {
  const missing = () => new WardenError('store-object-missing', `${path.filePath} does not exist.`);
  if (!(await haveFolders(root, path.folders))) throw missing();
  try {
    // Without NONBLOCK opening a pipe that somebody put there would wait for ever.
    return await open(path.filePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? missing() : error;
  }
}

async function requireFile(file: FileHandle, path: ObjectPath): Promise<{ size: number }> {
  const stats = await file.stat();
  if (!stats.isFile())
    throw new WardenError('store-not-writable', `${path.filePath} must be a regular file of the store.`);
  return stats;
}

async function* readBlocks(
  file: FileHandle,
  path: ObjectPath,
  offset: number,
  endsAt: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for (let position = offset; position < endsAt;) {
      throwIfInterrupted(signal);
      const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, endsAt - position));
      const at = position;
      const { bytesRead } = await converted(`read ${path.filePath}`, () => file.read(block, 0, block.length, at));
      if (bytesRead === 0) {
        throw new WardenError('store-failed', `${path.filePath} ended after ${position} of ${endsAt} bytes.`);
      }
      position += bytesRead;
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
