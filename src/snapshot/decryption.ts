import { describeThrown, isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { Bytes } from './bytes.ts';
import { driveTransform } from './drive-transform.ts';
import { type EncryptionContext, IdentityKeyring } from './identity-keyring.ts';
import { readMessage } from './message-frames.ts';
import { encryptionClient, maxFrameSizeBytes } from './message.ts';

/**
 * Opens an AWS Encryption SDK message, frame by frame: a frame comes out only once its authentication tag held.
 * Rejects with `object-damaged` for anything altered, cut off or appended, with `context-mismatch`, `no-identity` or `key-*`.
 */
export async function* decryptMessage(
  source: Bytes,
  providers: readonly KeyProvider[],
  context: EncryptionContext | 'unchecked',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const keyring = new IdentityKeyring(providers, context, signal);
  const stream = encryptionClient.decryptUnsignedMessageStream(keyring, { maxBodySize: maxFrameSizeBytes });
  stream.on('error', () => undefined); // Destroying an unfinished message is an error to the SDK, but not to us.
  try {
    yield* driveTransform(readMessage(source), stream, (error) => asDamage(error, signal), signal);
  } finally {
    stream.destroy();
  }
}

/** The SDK's errors have no codes, but whatever its own code throws while it reads means that the bytes are not right. */
function asDamage(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return toWardenError(signal.reason);
  if (isWardenError(error)) return error;
  return new WardenError('object-damaged', `the sealed data is damaged: ${describeThrown(error)}`, { cause: error });
}
