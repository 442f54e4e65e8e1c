import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { localRepository } from './support/places.ts';
import { requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';

/** In the middle of an upgrade members of two releases live side by side and hash by different rules. */
describe.each([
  ['3.5', '3.6'],
  ['3.6', '3.7'],
] as const)('a cluster on its way from etcd %s to %s', (older, newer) => {
  let cluster: Cluster;
  let folder: TempFolder;
  let configFile: string;

  beforeAll(async () => {
    [cluster, folder] = await Promise.all([
      startCluster({ members: 3, version: older, versions: [older, newer, older] }),
      makeTempFolder(),
    ]);
    configFile = await writeConfig(folder.path, {
      cluster: { name: 'test', endpoints: cluster.endpoints },
      encryption: 'none',
      repositories: [localRepository(folder.path)],
    });
    for (let index = 0; index < 10; index++) await cluster.etcdctl(['put', `/k${index}`, `${index}`]);
  });
  afterAll(async () => {
    await Promise.all([cluster?.[Symbol.asyncDispose](), folder?.[Symbol.asyncDispose]()]);
  });

  async function backUp(): Promise<Manifest> {
    const ended = requireStatus(await startWarden(['backup', '--json'], { configFile }).ended, 0);
    return (ended.json() as { manifest: Manifest }).manifest;
  }

  /** Compacts at the newest revision, which is a deletion. */
  async function compactAtDeletion(): Promise<number> {
    await cluster.etcdctl(['put', '/k', 'v']);
    const deleted = JSON.parse(await cluster.etcdctl(['del', '/k', '--write-out=json'])) as {
      header: { revision: number };
    };
    await cluster.etcdctl(['compact', `${deleted.header.revision}`, '--physical']);
    return deleted.header.revision;
  }

  const resultsOf = ({ liveMembers }: Manifest): string[] => liveMembers.map(({ result }) => result);

  // field: F025
  // field: F028
  test('right at a compaction that fell on a deletion, hashes are not compared', async () => {
    const revision = await compactAtDeletion();
    const manifest = await backUp();
    expect(manifest.snapshot).toMatchObject({ revision: `${revision}`, compactRevision: `${revision}`, kvHash: null });
    expect(resultsOf(manifest)).toEqual([]);
    expect(manifest.checks.at(-1)).toMatchObject({
      name: 'live-hash',
      result: 'not-checked',
      detail: expect.stringContaining('compacted') as string,
    });
  });

  // field: F028
  test('at the next revision above it, members of both releases have the hash of the snapshot, and say their versions', async () => {
    await compactAtDeletion();
    await cluster.etcdctl(['put', '/after', 'v']);
    const manifest = await backUp();
    expect(resultsOf(manifest)).toEqual(['equal', 'equal', 'equal']);
    expect(new Set(manifest.liveMembers.map(({ version }) => version.slice(0, 3)))).toEqual(new Set([older, newer]));
  });

  // field: F025
  // field: F033
  test('while writes and compactions go on, no member differs', async () => {
    await using _writer = startWriter(cluster);
    const results = [...resultsOf(await backUp()), ...resultsOf(await backUp())];
    expect(results.filter((result) => result !== 'equal' && result !== 'not-comparable')).toEqual([]);
  });
});

/** Puts and deletes without pause, and compacts at the newest revision again and again, until it is disposed. */
function startWriter({ endpoints }: Cluster): AsyncDisposable {
  const client = new Etcd3({ hosts: [endpoints[0] ?? ''] });
  let stopped = false;
  const writing = (async () => {
    for (let index = 0; !stopped; index++) {
      const written = await client.put(`/busy${index % 20}`).value(`${index}`);
      if (index % 3 === 0) await client.delete().key(`/busy${(index + 7) % 20}`);
      if (index % 40 === 0) await client.kv.compact({ revision: written.header.revision, physical: false });
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      await writing;
      client.close();
    },
  };
}
