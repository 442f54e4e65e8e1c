import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface EtcdBinaries {
  readonly etcd: string;
  readonly etcdutl: string;
}

/** etcd and etcdutl from PATH; where there are none, those of the test toolchain, which needs Go and a minute. */
export async function findEtcd(project: string): Promise<EtcdBinaries> {
  const fromPath = { etcd: 'etcd', etcdutl: 'etcdutl' };
  if ((await answers(fromPath.etcd, '--version')) && (await answers(fromPath.etcdutl, 'version'))) return fromPath;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const built = process.env['TOOLCHAIN_BIN'] ?? join(cache, 'etcd-warden-toolchain');
  if (!existsSync(join(built, 'etcd36/etcd'))) console.log('No etcd in PATH: building one with Go, about a minute …');
  const build = spawn('bash', [join(project, 'test/toolchain/build.sh'), 'etcd36'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(build, 'exit')) as [number | null];
  if (status !== 0) throw new Error('etcd could not be built: put etcd and etcdutl into PATH, or install Go');
  return { etcd: join(built, 'etcd36/etcd'), etcdutl: join(built, 'etcd36/etcdutl') };
}

async function answers(command: string, argument: string): Promise<boolean> {
  return promisify(execFile)(command, [argument], { timeout: 5000 }).then(
    () => true,
    () => false,
  );
}
