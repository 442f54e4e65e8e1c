import { afterAll, beforeAll } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import { createRsaPrivateKeyProvider, createRsaPublicKeyProvider } from '../../src/adapters/keys/rsa-key-file.ts';
import { isWardenError } from '../../src/errors/warden-error.ts';
import type { KeyProvider } from '../../src/ports/key-provider.ts';
import { type ExpectedSealing, openSealed } from '../../src/snapshot/open.ts';
import { prepareSealing, seal, type Sealing, type SealingFacts } from '../../src/snapshot/seal.ts';
import { bytesOf, collect, cutInto } from './byte-streams.ts';
import { type KeyFiles, makeKeyFiles } from './key-files.ts';

const { signal } = new AbortController();
export const context = { cluster: 'prod', lineage: '14841639068965178418', backup: 'b1' };
export const zstd = { algorithm: 'zstd', level: 1 } as const;
export const none = { algorithm: 'none' } as const;

/** Keys for the tests of one file; valid once its `beforeAll` has run. */
export interface SealingKeys {
  files: KeyFiles;
  key: KeyProvider;
  recovery: { readonly seals: KeyProvider; readonly opens: KeyProvider };
}

/** Makes key files before the tests of a file and removes them after. */
export function useSealingKeys(): SealingKeys {
  const keys: Partial<SealingKeys> = {};
  beforeAll(async () => {
    const files = await makeKeyFiles();
    const pair = await files.writeRsaPair('recovery');
    Object.assign(keys, {
      files,
      key: createAesKeyFileProvider({ file: await files.writeAesKey('key'), name: 'main' }),
      recovery: {
        seals: createRsaPublicKeyProvider({ file: pair.publicFile, name: 'recovery' }),
        opens: createRsaPrivateKeyProvider({ file: pair.privateFile, name: 'recovery' }),
      },
    });
  });
  afterAll(() => keys.files?.[Symbol.asyncDispose]());
  return keys as SealingKeys;
}

export interface Sealed {
  readonly bytes: Buffer;
  readonly facts: SealingFacts;
  readonly expected: ExpectedSealing;
}

export async function sealed(
  plaintext: Uint8Array,
  sealing: Sealing,
  sizes: readonly number[] = [32 * 1024],
): Promise<Sealed> {
  await using stream = seal(bytesOf(...cutInto(plaintext, sizes)), await prepareSealing(sealing, signal), signal);
  const bytes = await collect(stream);
  return {
    bytes,
    facts: stream.facts,
    expected: {
      compression: sealing.compression.algorithm,
      encryption: sealing.encryption === 'none' ? 'none' : { context: sealing.encryption.context },
      stored: { sizeBytes: stream.facts.sealedBytes, sha256: stream.facts.sealedSha256 },
      limits: { maxPlaintextBytes: plaintext.length },
    },
  };
}

export const openWith = (
  bytes: Uint8Array,
  expected: ExpectedSealing,
  providers: readonly KeyProvider[],
  sizes: readonly number[] = [32 * 1024],
): Promise<Buffer> => collect(openSealed(bytesOf(...cutInto(bytes, sizes)), expected, providers, signal));

export const withoutStored = ({ compression, encryption, limits }: ExpectedSealing): ExpectedSealing => ({
  compression,
  encryption,
  limits,
});

/** Every way to store a snapshot, by the suffix of its name. */
export function everyWayWith(keys: SealingKeys): readonly (readonly [suffix: string, sealing: () => Sealing])[] {
  const encryption = (): Sealing['encryption'] => ({ providers: [keys.key], context });
  return [
    ['.zst.enc', () => ({ compression: zstd, encryption: encryption() })],
    ['.enc', () => ({ compression: none, encryption: encryption() })],
    ['.zst', () => ({ compression: zstd, encryption: 'none' })],
    ['', () => ({ compression: none, encryption: 'none' })],
  ];
}

/** What opening something that is not as it was sealed may say. */
export const isRefusal = (error: unknown): boolean =>
  isWardenError(error, 'object-damaged', 'format-mismatch', 'context-mismatch', 'no-identity');
