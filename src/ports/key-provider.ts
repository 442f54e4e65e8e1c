import type { KeyringNode } from '@aws-crypto/material-management-node';

export type RecipientKind = 'aws-kms' | 'aes-key-file' | 'rsa-public-key' | 'rsa-private-key';

/** Names a recipient in manifests and messages; never key material. */
export interface RecipientName {
  readonly kind: RecipientKind;
  /** KMS: the ARN of a key or an alias. Key files: the configured name. */
  readonly name: string;
}

/** A keyring for one message. Its rejections are WardenErrors: `key-*`, `secret-unreadable`, `key-file-invalid`. */
export type OpenKeyring = (signal: AbortSignal) => Promise<KeyringNode>;

/**
 * A key that wraps (seals) or unwraps (opens) data keys of AWS Encryption SDK messages. Keyrings are opaque here: the
 * snapshot folder hands them to the Encryption SDK. All kinds pass test/conformance/key-provider.ts.
 *
 * Key files are read each time a keyring is opened, so a rotated file is used at once and no key stays in memory between
 * backups. A keyring whose key is not among a message's recipients leaves the data key alone without an error.
 */
export interface KeyProvider extends AsyncDisposable {
  readonly recipient: RecipientName;
  /** undefined for a key that can only open. */
  readonly sealing: OpenKeyring | undefined;
  /** undefined for a key that can only seal: that is the point of an offline recovery key. */
  readonly opening: OpenKeyring | undefined;
}
