import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KeyFiles extends AsyncDisposable {
  readonly directory: string;
  /** Writes a file of this content and resolves with its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  writeAesKey(name: string): Promise<string>;
  writeRsaPair(name: string): Promise<{ readonly publicFile: string; readonly privateFile: string }>;
}

/** A folder of key files, gone once disposed. */
export async function makeKeyFiles(): Promise<KeyFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-warden-keys-'));
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  return {
    directory,
    write,
    writeAesKey: (name) => write(name, randomBytes(32)),
    async writeRsaPair(name) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      return {
        publicFile: await write(`${name}.pub.pem`, publicKey.export({ format: 'pem', type: 'spki' })),
        privateFile: await write(`${name}.pem`, privateKey.export({ format: 'pem', type: 'pkcs8' })),
      };
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
