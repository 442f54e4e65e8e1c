import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  AwsKmsMrkAwareSymmetricKeyringNode,
} from '@aws-crypto/kms-keyring-node';
import type { KeyProvider } from '../../ports/key-provider.ts';
import { parseKmsArn } from './kms-arn.ts';
import { createKmsClient, type KmsClient, type KmsConnection } from './kms-client.ts';
import { KmsCalls, KmsKeyring } from './kms-keyring.ts';

export interface KmsKey extends Omit<KmsConnection, 'region'> {
  /** ARN of a key, or of an alias; the region is taken from it. */
  readonly keyArn: string;
}

/**
 * A KMS key. Seals and opens; multi-region keys open what a replica of theirs sealed.
 *
 * A message holds the ARN of the key that really wrapped, and an alias may point to another key by the time of a restore.
 * So an alias opens whatever keys of its own account and region have sealed, as far as the role may use them: that is the
 * allow-list that stands in the configuration. A key's ARN opens what that key sealed and nothing else.
 * `config-invalid` at once where `keyArn` is no ARN.
 */
export function createKmsProvider({ keyArn, ...connection }: KmsKey): KeyProvider {
  const { region, account, partition, isAlias } = parseKmsArn(keyArn);
  let client: KmsClient | undefined;
  const callsFor = (signal: AbortSignal): KmsCalls => {
    client ??= createKmsClient({ ...connection, region });
    return new KmsCalls(client.kms, keyArn, region, connection, signal);
  };
  return {
    recipient: { kind: 'aws-kms', name: keyArn },
    sealing: async (signal) => {
      const calls = callsFor(signal);
      return new KmsKeyring(new AwsKmsMrkAwareSymmetricKeyringNode({ client: calls, keyId: keyArn }), calls);
    },
    opening: async (signal) => {
      const calls = callsFor(signal);
      const keyring = isAlias
        ? new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
            client: calls,
            discoveryFilter: { accountIDs: [account], partition },
          })
        : new AwsKmsMrkAwareSymmetricKeyringNode({ client: calls, keyId: keyArn });
      return new KmsKeyring(keyring, calls);
    },
    [Symbol.asyncDispose]: async () => {
      client?.[Symbol.dispose]();
      client = undefined;
    },
  };
}
