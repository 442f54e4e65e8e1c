import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EtcdBinaries } from './find-etcd.ts';

export interface ThrowawayEtcd extends AsyncDisposable {
  readonly endpoint: string;
  readonly version: string;
}

const readyWithinMs = 20_000;

/** A single member on loopback, on free ports, with its data in `folder`. Disposing ends it. */
export async function startThrowawayEtcd({ etcd }: EtcdBinaries, folder: string): Promise<ThrowawayEtcd> {
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
  const args = [
    '--name',
    'demo',
    '--data-dir',
    join(folder, 'etcd'),
    '--log-level',
    'fatal',
    '--initial-cluster',
    `demo=${peer}`,
  ];
  const urls = ['--listen-client-urls', '--advertise-client-urls'].flatMap((flag) => [flag, client ?? '']);
  const peers = ['--listen-peer-urls', '--initial-advertise-peer-urls'].flatMap((flag) => [flag, peer ?? '']);
  const child = spawn(etcd, [...args, ...urls, ...peers], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  const deadline = Date.now() + readyWithinMs;
  while (!(await isHealthy(client ?? ''))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('the throwaway etcd did not start');
    await delay(100);
  }
  const { stdout } = await promisify(execFile)(etcd, ['--version']);
  return {
    endpoint: client ?? '',
    version: /etcd Version: (\S+)/.exec(stdout)?.[1] ?? '',
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function isHealthy(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
