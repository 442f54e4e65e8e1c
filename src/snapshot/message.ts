import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type EncryptedDataKey,
} from '@aws-crypto/material-management-node';
import type { RecipientName } from '../ports/key-provider.ts';

/** How every message is sealed: AES-256-GCM by frame, with a key commitment, so that no second key can open it to something else. */
export const algorithmSuite = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

/** Frames of the size of our blocks are sealed fifteen times as fast as the SDK's default of 4 KiB. */
export const frameSizeBytes = 1024 * 1024;

/** A reader must hold a frame before it may believe it; a message that asks for larger ones is not read. */
export const maxFrameSizeBytes = 16 * 1024 * 1024;

/** As many as a manifest can name. */
export const maxRecipients = 32;

const clientOptions = {
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: maxRecipients,
};

/** Not the SDK's one package for all: that one loads clients of KMS and DynamoDB as well, whoever needs them. */
export const encryptionClient = { ...buildEncrypt(clientOptions), ...buildDecrypt(clientOptions) };

/** After the name of a raw AES key come the lengths of tag and IV and the IV. Source: AWS Encryption SDK, raw AES keyring. */
const aesInfoSuffixBytes = 4 + 4 + 12;

/**
 * Whom an encrypted data key in a message's header is for; undefined for kinds that other tools made. The providers of
 * src/adapters/keys take the kind of a recipient as its key namespace, as the SDK itself does for `aws-kms`. For KMS the
 * name is the key's real ARN, also where an alias was asked.
 */
export function nameRecipient({ providerId, providerInfo, rawInfo }: EncryptedDataKey): RecipientName | undefined {
  if (providerId === 'aws-kms' || providerId === 'rsa-public-key') return { kind: providerId, name: providerInfo };
  if (providerId !== 'aes-key-file') return undefined;
  const info = rawInfo ?? Buffer.from(providerInfo);
  return { kind: providerId, name: Buffer.from(info.subarray(0, -aesInfoSuffixBytes)).toString() };
}

/** For messages: "aws-kms arn:…, rsa-public-key recovery". */
export function listRecipients(keys: readonly EncryptedDataKey[]): string {
  return keys
    .map((key) => describeRecipient(nameRecipient(key) ?? { kind: key.providerId, name: key.providerInfo }))
    .join(', ');
}

export const describeRecipient = ({ kind, name }: { readonly kind: string; readonly name: string }): string =>
  `${kind} ${name}`;
