/**
 * A key that wraps and unwraps data keys of AWS Encryption SDK messages. `keyring` is opaque here: the snapshot folder
 * hands it to the Encryption SDK. All three kinds pass test/conformance/key-provider.ts.
 */
export type RecipientKind = 'aws-kms' | 'aes-key-file' | 'rsa-public-key' | 'rsa-private-key';

/** Names a recipient in manifests and messages; never key material. */
export interface RecipientName {
  readonly kind: RecipientKind;
  /** KMS: the key ARN. Key files: the configured name. */
  readonly name: string;
}
