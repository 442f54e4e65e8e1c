import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { WardenError } from '../../errors/warden-error.ts';
import type { KeyProvider, OpenKeyring, RecipientKind } from '../../ports/key-provider.ts';
import { readKeyFile } from './key-file.ts';

/** Stands in message headers with the key's name: other tools need both to find the key. */
const keyNamespace = 'aes-key-file' satisfies RecipientKind;

const keySizeBytes = 32;

export interface KeyFile {
  readonly file: string;
  /** Stands in every message's header: whoever opens one needs it together with the key. */
  readonly name: string;
}

/** A symmetric key in a file of exactly 32 random bytes, as `openssl rand -out FILE 32` writes it. Seals and opens. */
export function createAesKeyFileProvider({ file, name }: KeyFile): KeyProvider {
  const openKeyring: OpenKeyring = async () => {
    const key = await readKeyFile(file);
    if (key.length !== keySizeBytes) {
      key.fill(0);
      throw new WardenError('key-file-invalid', `${file} must hold exactly ${keySizeBytes} bytes, found ${key.length}`);
    }
    // The SDK takes the array over and zeroes it, so it must never be one that is used again.
    return new RawAesKeyringNode({
      keyNamespace,
      keyName: name,
      unencryptedMasterKey: key,
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      utf8Sorting: true,
    });
  };
  return {
    recipient: { kind: 'aes-key-file', name },
    sealing: openKeyring,
    opening: openKeyring,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
