import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from './process.ts';

/** Where test/toolchain/build.sh puts what it builds. */
const toolchainDir =
  process.env['TOOLCHAIN_BIN'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'etcd-warden-toolchain');

export const etcdVersions = ['3.5', '3.6', '3.7'] as const;
export type EtcdVersion = (typeof etcdVersions)[number];

/** Path of etcd, etcdctl or etcdutl of a version. */
export function etcdBinary(name: 'etcd' | 'etcdctl' | 'etcdutl', version: EtcdVersion): string {
  return built(join(`etcd${version.replace('.', '')}`, name));
}

/** Path of a test server: s3d, kmsd, … */
export function serverBinary(name: string): string {
  return built(name);
}

/** Folder of the programs of test/toolchain/python, which are installed where they are not there yet. */
export async function preparePython(): Promise<string> {
  const prepare = resolve(import.meta.dirname, '../toolchain/python/prepare.sh');
  return (await promisify(execFile)('bash', [prepare], { env: cleanEnvironment() })).stdout.trim();
}

function built(path: string): string {
  const full = join(toolchainDir, path);
  if (!existsSync(full)) throw new Error(`${full} is missing: run test/toolchain/build.sh`);
  return full;
}
