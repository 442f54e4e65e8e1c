import { open } from 'node:fs/promises';

/**
 * The whole file, if it holds at most `mostBytes`. Whatever fails is rejected with what `toError` makes of the reason,
 * which is a clause such as `does not exist`. Pipes work too, so that a configuration can come from another program.
 */
export async function readBoundedFile(
  path: string,
  mostBytes: number,
  toError: (reason: string, cause?: unknown) => Error,
): Promise<Uint8Array> {
  const bytes = await readUpTo(path, mostBytes + 1).catch((error: unknown) => {
    throw toError(reasonOf(error), error);
  });
  if (bytes.length > mostBytes) throw toError(`is larger than ${mostBytes} bytes`);
  return bytes;
}

async function readUpTo(path: string, mostBytes: number): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const buffer = Buffer.alloc(mostBytes);
  let length = 0;
  while (length < mostBytes) {
    const { bytesRead } = await file.read(buffer, length, mostBytes - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a directory';
  return code === '' ? 'cannot be read' : `cannot be read (${code})`;
}
