import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../../src/adapters/keys/aes-key-file.ts';
import { createRsaPrivateKeyProvider, createRsaPublicKeyProvider } from '../../../src/adapters/keys/rsa-key-file.ts';
import { describeKeyProviderConformance } from '../../conformance/key-provider.ts';
import { wardenError } from '../../support/errors.ts';
import { type KeyFiles, makeKeyFiles } from '../../support/key-files.ts';

describeKeyProviderConformance('an AES key file', async () => {
  const files = await makeKeyFiles();
  const key = createAesKeyFileProvider({ file: await files.writeAesKey('key'), name: 'main' });
  const stranger = createAesKeyFileProvider({ file: await files.writeAesKey('other'), name: 'main' });
  return { seals: key, opens: key, stranger, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
});

describeKeyProviderConformance('an RSA key pair', async () => {
  const files = await makeKeyFiles();
  const pair = await files.writeRsaPair('recovery');
  const other = await files.writeRsaPair('other');
  return {
    seals: createRsaPublicKeyProvider({ file: pair.publicFile, name: 'recovery' }),
    opens: createRsaPrivateKeyProvider({ file: pair.privateFile, name: 'recovery' }),
    stranger: createRsaPrivateKeyProvider({ file: other.privateFile, name: 'recovery' }),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
});

describe('key files', () => {
  const { signal } = new AbortController();
  let files: KeyFiles;
  beforeAll(async () => {
    files = await makeKeyFiles();
  });
  afterAll(() => files[Symbol.asyncDispose]());

  const openAes = (file: string) => createAesKeyFileProvider({ file, name: 'k' }).opening?.(signal);
  const openPublic = (file: string) => createRsaPublicKeyProvider({ file, name: 'k' }).sealing?.(signal);
  const openPrivate = (file: string) => createRsaPrivateKeyProvider({ file, name: 'k' }).opening?.(signal);

  it.each([0, 16, 31, 33, 64])('takes no AES key of %i bytes', async (sizeBytes) => {
    const file = await files.write(`aes-${sizeBytes}`, randomBytes(sizeBytes));
    await expect(openAes(file)).rejects.toEqual(
      wardenError('key-file-invalid', `exactly 32 bytes, found ${sizeBytes}`),
    );
  });

  it('names a file that is not there', async () => {
    const file = join(files.directory, 'nowhere');
    await expect(openAes(file)).rejects.toEqual(wardenError('secret-unreadable', file));
  });

  it('does not read a file that is far too long for a key', async () => {
    const file = await files.write('long', Buffer.alloc(200_000, 'a'));
    await expect(openPrivate(file)).rejects.toEqual(wardenError('key-file-invalid', 'longer'));
  });

  it('reads the file at each use, so that a rotated key is the one that seals', async () => {
    const file = await files.write('rotated', randomBytes(31));
    const provider = createAesKeyFileProvider({ file, name: 'k' });
    await expect(provider.sealing?.(signal)).rejects.toEqual(wardenError('key-file-invalid'));
    await files.write('rotated', randomBytes(32));
    await expect(provider.sealing?.(signal)).resolves.toBeDefined();
  });

  it('refuses a private key where only the public half belongs', async () => {
    const { privateFile } = await files.writeRsaPair('swapped');
    await expect(openPublic(privateFile)).rejects.toEqual(wardenError('key-file-invalid', 'private key'));
  });

  it('refuses RSA keys that are too short, and keys of other kinds', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const shortFile = await files.write('short.pem', short.export({ format: 'pem', type: 'spki' }));
    await expect(openPublic(shortFile)).rejects.toEqual(wardenError('key-file-invalid', 'found 1024'));
    const curve = generateKeyPairSync('ed25519').privateKey;
    const curveFile = await files.write('curve.pem', curve.export({ format: 'pem', type: 'pkcs8' }));
    await expect(openPrivate(curveFile)).rejects.toEqual(wardenError('key-file-invalid', 'ed25519'));
  });

  it('says that a private key is protected by a passphrase', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const protectedPem = privateKey.export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    const file = await files.write('protected.pem', protectedPem);
    await expect(openPrivate(file)).rejects.toEqual(wardenError('key-file-invalid', 'passphrase'));
  });

  it('never repeats what a file holds', async () => {
    const file = await files.write('garbage.pem', 'hunter2 is my password');
    const error = await openPrivate(file)?.catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    expect(error).toMatchObject({ code: 'key-file-invalid' });
    expect(error).not.toHaveProperty('cause');
  });
});
