import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeConfig } from '../support/warden.ts';

/** One way to store a backup. */
export interface Variant {
  readonly name: string;
  readonly configFile: string;
}

/** Ways to store a backup that differ in what the bytes go through, each with a repository of its own. */
export async function writeVariants(folder: string, endpoints: readonly string[]): Promise<Variant[]> {
  const { aes, rsa, rsaIdentity } = await writeKeys(folder);
  const ways: Readonly<Record<string, object>> = {
    'zstd, two recipients, opened by the recovery key': {
      encryption: { recipients: [aes, rsa], identities: [rsaIdentity] },
    },
    'zstd, not encrypted': { encryption: 'none' },
    'not compressed, one recipient': {
      encryption: { recipients: [aes] },
      snapshot: { compression: { algorithm: 'none' } },
    },
  };
  return Promise.all(
    Object.entries(ways).map(async ([name, sections], index) => {
      const home = join(folder, `way-${index}`);
      const repository = join(home, 'repository');
      await mkdir(repository, { recursive: true });
      const configFile = await writeConfig(home, {
        cluster: { name: 'campaign', endpoints },
        repositories: [{ name: 'local', store: { type: 'directory', path: repository } }],
        log: { level: 'warn' },
        ...sections,
      });
      return { name, configFile };
    }),
  );
}

async function writeKeys(folder: string) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const write = async (name: string, contents: string | Uint8Array): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, contents, { mode: 0o600 });
    return file;
  };
  const [aesFile, publicFile, privateFile] = [
    await write('site.aes', randomBytes(32)),
    await write('recovery.pub.pem', publicKey.export({ format: 'pem', type: 'spki' })),
    await write('recovery.pem', privateKey.export({ format: 'pem', type: 'pkcs8' })),
  ];
  return {
    aes: { type: 'aes-key-file', file: aesFile, name: 'site' },
    rsa: { type: 'rsa-public-key', file: publicFile, name: 'recovery' },
    rsaIdentity: { type: 'rsa-private-key', file: privateFile, name: 'recovery' },
  };
}
