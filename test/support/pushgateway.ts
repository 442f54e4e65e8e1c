import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sample, readSamples } from '../../src/adapters/etcd/prometheus-text.ts';
import { freePorts, startServer } from './process.ts';
import { serverBinary } from './toolchain.ts';

export interface TestPushgateway extends AsyncDisposable {
  /** With the base path that it serves under. */
  readonly url: string;
  /** host:port */
  readonly address: string;
  /** What it serves of one name, labels that are empty left out. */
  samples(name: string): Promise<{ readonly labels: Record<string, string>; readonly value: number }[]>;
}

/** A real Pushgateway on loopback. */
export async function startPushgateway({ basePath = '' } = {}): Promise<TestPushgateway> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-pushgateway-'));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const url = `http://${address}${basePath}`;
  const server = await startServer(
    serverBinary('prom/prometheus-pushgateway'),
    [
      `--web.listen-address=${address}`,
      `--web.route-prefix=${basePath}/`,
      `--persistence.file=${join(directory, 'groups')}`,
    ],
    async () => (await fetch(`${url}/-/ready`)).ok,
  );
  return {
    url,
    address,
    samples: async (name) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return [...readSamples(text, new Set([name]))].map(({ labels, value }: Sample) => ({
        labels: Object.fromEntries([...labels].filter(([, label]) => label !== '')),
        value,
      }));
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
