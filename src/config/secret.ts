import { WardenError } from '../errors/warden-error.ts';
import { readBoundedFile } from './read-file.ts';

/** Passwords and tokens are short; a larger file is another file. */
const largestSecretBytes = 64 * 1024;

/**
 * The text of a secret file without the one line break that editors put at its end. `option` names the option that gave
 * the path. Rejects with `secret-unreadable`, which never shows any of the content.
 */
export async function readSecretFile(path: string, option: string): Promise<string> {
  const toError = (reason: string, cause?: unknown) =>
    new WardenError('secret-unreadable', `${option}: the file ${path} ${reason}`, { details: { option, path }, cause });
  const bytes = await readBoundedFile(path, largestSecretBytes, toError);
  const secret = decode(bytes, toError).replace(/\r?\n$/, '');
  if (secret === '') throw toError('is empty');
  return secret;
}

/** The decoder's own error is no cause: it could carry bytes of the secret. */
function decode(bytes: Uint8Array, toError: (reason: string) => Error): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw toError('is not UTF-8 text');
  }
}
