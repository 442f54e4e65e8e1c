import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DemoFolder {
  readonly path: string;
  readonly configFile: string;
  readonly repository: string;
  readonly restoredFile: string;
  readonly restoredData: string;
  writeConfig(endpoint: string): Promise<void>;
}

/** A fresh folder with a new key. What an earlier demo left is removed, and nothing that is not a demo's. */
export async function prepareFolder(path: string): Promise<DemoFolder> {
  const marker = join(path, 'made-by-the-demo');
  if (existsSync(path) && !existsSync(marker)) throw new Error(`${path} exists and is not a demo's: move it away`);
  await rm(path, { recursive: true, force: true });
  const repository = join(path, 'backups');
  await mkdir(repository, { recursive: true, mode: 0o700 });
  await writeFile(marker, '');
  const keyFile = join(path, 'backup.key');
  await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  const configFile = join(path, 'config.yaml');
  return {
    path,
    configFile,
    repository,
    restoredFile: join(path, 'restored.db'),
    restoredData: join(path, 'restored-data'),
    writeConfig: (endpoint) => writeFile(configFile, renderConfig(endpoint, keyFile, repository)),
  };
}

function renderConfig(endpoint: string, keyFile: string, repository: string): string {
  return `# Written by the demo. config.example.yaml shows every key with its default.
cluster:
  name: demo
  endpoints: [${endpoint}]
encryption:
  recipients:
    - {type: aes-key-file, file: ${JSON.stringify(keyFile)}, name: demo}
repositories:
  - name: local
    store: {type: directory, path: ${JSON.stringify(repository)}}
log: {level: warn}
`;
}
