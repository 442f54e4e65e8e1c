import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Certificates } from '../support/certificates.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { makeWorkplace, type Workplace } from './support/defrag-command.ts';

interface Input {
  readonly name: string;
  readonly broken: (its: Certificates) => { readonly endpoints?: readonly string[]; readonly tls?: object };
  readonly code: string;
  readonly exitStatus: number;
  /** What the message has to name. */
  readonly named: (its: Certificates) => string;
}

// field: F055
// field: F063
describe('an input that is wrong is named by the first command that needs it', () => {
  let cluster: Cluster;
  let certificates: Certificates;
  let place: Workplace;
  beforeAll(async () => {
    cluster = await startCluster({ tls: 'mtls' });
    if (cluster.certificates === undefined) throw new Error('a cluster without certificates');
    certificates = cluster.certificates;
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    place = await makeWorkplace();
  });
  afterEach(async () => {
    await place[Symbol.asyncDispose]();
  });

  const inputs: readonly Input[] = [
    {
      name: 'a key that is not there',
      broken: ({ directory }) => ({ tls: { keyFile: join(directory, 'nowhere.key') } }),
      code: 'secret-unreadable',
      exitStatus: 2,
      named: ({ directory }) => `cluster.tls.keyFile ${join(directory, 'nowhere.key')}`,
    },
    {
      name: 'a key of another certificate',
      broken: ({ strangeClient }) => ({ tls: { keyFile: strangeClient.keyFile } }),
      code: 'etcd-tls-failed',
      exitStatus: 1,
      named: ({ strangeClient }) => strangeClient.keyFile,
    },
    {
      name: 'a certificate that ended yesterday',
      broken: ({ expiredClient }) => ({ tls: expiredClient }),
      code: 'etcd-tls-expired',
      exitStatus: 1,
      named: ({ expiredAt }) => expiredAt.toISOString(),
    },
    {
      // As a mount that went wrong: a folder where a file should be. Root reads whatever permissions forbid.
      name: 'a CA that cannot be read',
      broken: ({ directory }) => ({ tls: { caFile: directory } }),
      code: 'secret-unreadable',
      exitStatus: 2,
      named: ({ directory }) => `cluster.tls.caFile ${directory}`,
    },
    {
      name: 'a host that nobody knows',
      broken: () => ({ endpoints: ['https://no-such-host.invalid:2379'] }),
      code: 'etcd-unreachable',
      exitStatus: 1,
      named: () => 'no-such-host.invalid',
    },
  ];

  test.each(inputs)('$name', async ({ broken, code, exitStatus, named }) => {
    const { endpoints = cluster.endpoints, tls } = broken(certificates);
    const files = { caFile: certificates.caFile, ...certificates.client, ...tls };
    await place.configure({ cluster: { name: 'test', endpoints, tls: files } });
    const startedMs = performance.now();
    for (const command of ['backup', 'status']) {
      const ended = await place.run(command);
      expect([command, ended.status, ended.json()]).toMatchObject([
        command,
        exitStatus,
        { error: { code, message: expect.stringContaining(named(certificates)) as unknown } },
      ]);
    }
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });
});
