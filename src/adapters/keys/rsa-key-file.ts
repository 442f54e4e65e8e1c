import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
import { WardenError } from '../../errors/warden-error.ts';
import type { KeyProvider, RecipientKind } from '../../ports/key-provider.ts';
import type { KeyFile } from './aes-key-file.ts';
import { readKeyFile } from './key-file.ts';

/** Stands in message headers with the key's name: other tools need both to find the key. The same for both halves. */
const keyNamespace = 'rsa-public-key' satisfies RecipientKind;

/** What NIST allows from 2031 on is 3072; anything below 2048 has been broken or soon will be. */
const minModulusBits = 2048;

/** OAEP with SHA-256 for both the hash and the mask (MGF1). */
const oaepHash = 'sha256';

/** The public half of an offline recovery key, PEM. It only seals: a machine that makes backups then cannot read them. */
export function createRsaPublicKeyProvider({ file, name }: KeyFile): KeyProvider {
  return {
    recipient: { kind: 'rsa-public-key', name },
    sealing: async () => {
      const publicKey = await readRsaKey(file, 'public');
      return new RawRsaKeyringNode({ keyNamespace, keyName: name, rsaKey: { publicKey }, oaepHash });
    },
    opening: undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The private half, PEM without a passphrase. It only opens. */
export function createRsaPrivateKeyProvider({ file, name }: KeyFile): KeyProvider {
  return {
    recipient: { kind: 'rsa-private-key', name },
    sealing: undefined,
    opening: async () => {
      const privateKey = await readRsaKey(file, 'private');
      return new RawRsaKeyringNode({ keyNamespace, keyName: name, rsaKey: { privateKey }, oaepHash });
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The key in the one PEM form that the SDK takes. Error texts say nothing of the contents. */
async function readRsaKey(file: string, half: 'public' | 'private'): Promise<string> {
  const key = parseKey(await readKeyFile(file), file, half);
  if (key.asymmetricKeyType !== 'rsa') {
    throw new WardenError(
      'key-file-invalid',
      `${file} must hold an RSA ${half} key, found ${key.asymmetricKeyType ?? 'another kind'}`,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < minModulusBits) {
    throw new WardenError(
      'key-file-invalid',
      `the RSA key in ${file} must have at least ${minModulusBits} bits, found ${bits}`,
    );
  }
  return key.export({ format: 'pem', type: half === 'public' ? 'spki' : 'pkcs8' });
}

function parseKey(contents: Uint8Array, file: string, half: 'public' | 'private'): KeyObject {
  const pem = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  try {
    // Node would quietly take the public half out of a private key, which then lies where it never should.
    if (half === 'public' && pem.includes('PRIVATE KEY')) {
      throw new WardenError(
        'key-file-invalid',
        `${file} holds a private key; only its public half belongs on this machine`,
      );
    }
    return half === 'public' ? createPublicKey(pem) : createPrivateKey(pem);
  } catch (error) {
    if (error instanceof WardenError) throw error;
    const encrypted = pem.includes('ENCRYPTED') ? '; it is protected by a passphrase' : '';
    throw new WardenError('key-file-invalid', `${file} must hold an RSA ${half} key in PEM form${encrypted}`);
  } finally {
    pem.fill(0);
  }
}
