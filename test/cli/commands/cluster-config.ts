import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ConfigFile extends AsyncDisposable {
  readonly path: string;
  /** Where the one repository, `local`, has its backups. */
  readonly store: string;
}

/** A configuration for members that have no leases: without the lock. */
export async function writeClusterConfig(cluster: object, defrag: object = {}): Promise<ConfigFile> {
  const folder = await mkdtemp(join(tmpdir(), 'etcd-warden-cli-'));
  const path = join(folder, 'config.yaml');
  const store = join(folder, 'local');
  await mkdir(store);
  const repositories = [{ name: 'local', store: { type: 'directory', path: store } }];
  const coordination = { lock: 'none' };
  // JSON is YAML.
  await writeFile(
    path,
    JSON.stringify({ cluster, coordination, encryption: 'none', repositories, defrag: { pause: '0s', ...defrag } }),
  );
  return { path, store, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
