import { WardenError } from '../errors/warden-error.ts';
import { describeFormat, isEncryptionMessage, sniffFormat } from './formats.ts';

/**
 * The last look before bytes leave the process: where encryption is configured, only the start of an encrypted message
 * may pass, else `not-encrypted`. Guards against a stage that was left out by a change of ours.
 */
export function assertSealed(firstBlock: Uint8Array): void {
  const view = new DataView(firstBlock.buffer, firstBlock.byteOffset, firstBlock.byteLength);
  if (isEncryptionMessage(view)) return;
  throw new WardenError(
    'not-encrypted',
    `expected an encrypted message, found ${describeFormat(sniffFormat(firstBlock))}`,
  );
}
