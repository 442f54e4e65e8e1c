import { open } from 'node:fs/promises';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

/** Longer than the PEM file of any key in use; a wrong path must not be read into memory whole. */
const maxKeyFileBytes = 64 * 1024;

/**
 * The contents of a key file, in memory that is not shared with other buffers so that it can be zeroed.
 * `secret-unreadable` where it cannot be read, `key-file-invalid` where it is too long to be a key.
 */
export async function readKeyFile(file: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxKeyFileBytes + 1);
  let length = 0;
  try {
    await using handle = await open(file, 'r');
    for (let read = 1; read > 0 && length < buffer.length; length += read) {
      ({ bytesRead: read } = await handle.read(buffer, length, buffer.length - length));
    }
  } catch (error) {
    throw new WardenError('secret-unreadable', `the key file ${file} cannot be read: ${describeThrown(error)}`, {
      cause: error,
    });
  }
  if (length > maxKeyFileBytes) throw new WardenError('key-file-invalid', `${file} is longer than a key can be`);
  const contents = buffer.slice(0, length);
  buffer.fill(0);
  return contents;
}
