import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { startCluster, type Cluster } from '../support/etcd.ts';
import { cleanEnvironment } from '../support/process.ts';
import { etcdBinary } from '../support/toolchain.ts';
import { fill } from './support/filled-cluster.ts';
import { localRepository } from './support/places.ts';
import { requireStatus, startWarden, type EndedWarden } from './support/warden-process.ts';
import { makeTempFolder, writeConfig, type TempFolder } from './support/warden.ts';

const key = '/etcd-warden/lock';

describe('Runs on one cluster', () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let configFile: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await fill(cluster.endpoints[0] ?? '', 200);
  });

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    folder = await makeTempFolder();
    const path = join(folder.path, 'repository');
    await mkdir(path);
    configFile = await writeConfig(folder.path, {
      cluster: { name: 'test', endpoints: cluster.endpoints },
      coordination: { lock: 'etcd', ttl: '10s' },
      encryption: 'none',
      repositories: [localRepository(path)],
      defrag: { allowSingleMember: true },
    });
  });

  afterEach(async () => {
    await etcdctl('del', key);
    await folder[Symbol.asyncDispose]();
  });

  const etcdctl = async (...args: string[]): Promise<string> => {
    const all = ['--endpoints', cluster.endpoints[0] ?? '', ...args];
    return (await promisify(execFile)(etcdBinary('etcdctl', '3.6'), all, { env: cleanEnvironment() })).stdout;
  };
  const warden = async (...args: string[]): Promise<EndedWarden> => {
    await using running = startWarden([...args, '--json'], { configFile });
    return await running.ended;
  };

  it('that take backups at the same moment take them one after the other, and leave neither lock nor lease', async () => {
    const runs = await Promise.all([warden('backup'), warden('backup'), warden('backup')]);
    const times = runs
      .map((run) => (requireStatus(run, 0).json() as { manifest: Manifest }).manifest.timings)
      .map(({ startedAt, committedAt }) => [Date.parse(startedAt), Date.parse(committedAt)] as const)
      .sort(([a], [b]) => a - b);
    for (const [index, [startedAt]] of times.entries()) {
      expect(startedAt).toBeGreaterThanOrEqual(times[index - 1]?.[1] ?? 0);
    }
    expect(await etcdctl('get', key)).toBe('');
    expect(await etcdctl('lease', 'list')).toContain('found 0 leases');
  });

  it('of which one holds the lock let no defragmentation begin, and name the holder', async () => {
    await etcdctl('put', key, JSON.stringify({ version: 1, holder: 'somebody else', since: new Date().toISOString() }));
    const refused = await warden('defrag', '--force-rule');
    expect([refused.status, refused.json()]).toMatchObject([6, { error: { code: 'busy' } }]);
    expect(refused.stdout).toContain('somebody else');
    const dry = await warden('defrag', '--force-rule', '--dry-run');
    expect(dry.status).toBe(0);
    expect(await etcdctl('get', key)).not.toBe('');
  });

  it('that are interrupted while they wait for the lock end at once, with the status of the signal', async () => {
    await etcdctl('put', key, '{}');
    await using waiting = startWarden(['backup', '--json', '--log-level', 'debug'], { configFile });
    const before = Date.now();
    setTimeout(() => waiting.signal('SIGTERM'), 2500);
    expect((await waiting.ended).status).toBe(143);
    expect(Date.now() - before).toBeLessThan(10_000);
  });
});

describe('A backup without quorum', () => {
  it('goes on without the lock, and says so', async () => {
    await using cluster = await startCluster({ members: 3 });
    await fill(cluster.endpoints[0] ?? '', 50);
    await using folder = await makeTempFolder();
    const path = join(folder.path, 'repository');
    await mkdir(path);
    const configFile = await writeConfig(folder.path, {
      cluster: { name: 'test', endpoints: cluster.endpoints },
      coordination: { lock: 'etcd' },
      encryption: 'none',
      repositories: [localRepository(path)],
    });
    for (const member of cluster.members.slice(1)) await member.process[Symbol.asyncDispose]();
    await using running = startWarden(['backup', '--json'], { configFile });
    const ended = requireStatus(await running.ended, 0);
    expect(ended.stderr).toContain('going on without the lock');
    expect(ended.json()).toMatchObject({ manifest: { freshness: { checked: false } } });
  });
});
