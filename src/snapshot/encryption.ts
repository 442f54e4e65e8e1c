import type { Duplex } from 'node:stream';
import type { MessageHeader } from '@aws-crypto/encrypt-node';
import { MultiKeyringNode } from '@aws-crypto/material-management-node';
import { describeThrown, isWardenError, WardenError } from '../errors/warden-error.ts';
import type { KeyProvider, RecipientName } from '../ports/key-provider.ts';
import { type Bytes, regroup } from './bytes.ts';
import { driveTransform } from './drive-transform.ts';
import { algorithmSuite, describeRecipient, encryptionClient, frameSizeBytes, nameRecipient } from './message.ts';

/** An AWS Encryption SDK message whose data key exists already: wrapped for every recipient, so that no key can fail later. */
export interface OpenedMessage {
  /** Whom the header names. For KMS the ARNs really used, also where an alias was configured. */
  readonly recipients: readonly RecipientName[];
  /** Seals `source`. Once only: a message has one body. */
  encrypt(source: Bytes, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Does all work that needs keys. Rejects with `key-*` that names the recipient, `secret-unreadable` or `key-file-invalid`. */
export async function startMessage(
  providers: readonly KeyProvider[],
  context: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<OpenedMessage> {
  const keyring = await openSealingKeyring(providers, signal);
  signal.throwIfAborted();
  const stream = encryptionClient.encryptStream(keyring, {
    suiteId: algorithmSuite,
    encryptionContext: { ...context },
    frameLength: frameSizeBytes,
  });
  const header = await headerOf(stream, signal);
  return {
    recipients: header.encryptedDataKeys.map((key) => nameRecipient(key)).filter((name) => name !== undefined),
    encrypt: (source, bodySignal) => driveTransform(regroup(source, frameSizeBytes), stream, asFailure, bodySignal),
  };
}

/** One keyring makes the data key, the others wrap it as well; the SDK fails if any of them does. */
async function openSealingKeyring(providers: readonly KeyProvider[], signal: AbortSignal): Promise<MultiKeyringNode> {
  const keyrings = [];
  for (const { recipient, sealing } of providers) {
    if (sealing === undefined) {
      throw new WardenError(
        'config-invalid',
        `${describeRecipient(recipient)} can open but not seal: it belongs in encryption.identities`,
      );
    }
    keyrings.push(await sealing(signal));
  }
  const [generator, ...children] = keyrings;
  if (generator === undefined) throw new WardenError('config-invalid', 'encryption.recipients is empty');
  return new MultiKeyringNode({ generator, children });
}

/** The SDK asks the keyrings as soon as the stream is made and emits the header once all of them have answered. */
async function headerOf(stream: Duplex, signal: AbortSignal): Promise<MessageHeader> {
  return new Promise<MessageHeader>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    stream.once('MessageHeader', (header: MessageHeader) => {
      signal.removeEventListener('abort', abort);
      resolve(header);
    });
    // Stays attached, so that an error of an abandoned stream is never uncaught.
    stream.on('error', (error: unknown) => {
      signal.removeEventListener('abort', abort);
      reject(signal.aborted ? signal.reason : asFailure(error));
    });
  });
}

function asFailure(error: unknown): Error {
  if (isWardenError(error)) return error;
  return new WardenError('internal', `sealing failed: ${describeThrown(error)}`, { cause: error });
}
