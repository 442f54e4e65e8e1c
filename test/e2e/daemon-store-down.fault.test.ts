import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../support/etcd.ts';
import { startS3Server, type S3Server } from '../support/s3.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { Sampler } from './defrag/sampler.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { startAgent, until } from './support/running-agent.ts';
import { makeTempFolder, writeConfig, type TempFolder } from './support/warden.ts';

describe('The daemon without its store', () => {
  let cluster: Cluster;
  let s3: S3Server;
  let proxy: TcpProxy;
  let folder: TempFolder;
  let bucket: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await fill(cluster.endpoints[0] ?? '', 300);
    s3 = await startS3Server();
    bucket = await s3.makeBucket();
    folder = await makeTempFolder();
    proxy = await startTcpProxy(new URL(s3.endpoint).host);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await s3[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  it('leaves etcd alone, says what is wrong, keeps to its budget, and needs no restart', async () => {
    proxy.set({ kind: 'cut', afterBytes: 0 });
    await using sampler = new Sampler(cluster.members);
    await using agent = await startAgent(
      (listen) =>
        writeConfig(folder.path, {
          cluster: { name: 'prod', endpoints: cluster.endpoints },
          encryption: 'none',
          repositories: [cloudRepository(`http://${proxy.address}`, bucket)],
          schedules: { backup: { cron: '*/4 * * * * *', jitter: '0s' } },
          watch: { repositories: '10s', members: '5s' },
          http: { listen },
        }),
      { env: awsEnvironment(s3.credentials) },
    );
    const failed = 'etcd_warden_job_runs_total{job="backup",result="failed"';
    await until(async () => ((await agent.metric(failed)) ?? 0) >= 3, 'three backups that failed', 90_000);

    expect((await agent.get('/livez')).status).toBe(200);
    const ready = await agent.get('/readyz');
    expect([ready.status, ready.body]).toEqual([
      200,
      expect.stringMatching(/^degraded\n[^]*cannot be listed[^]*backup failed/),
    ]);
    const status = await agent.status();
    expect(status.verdict.level).toBe('danger');
    expect(status.lastErrors[0]).toMatchObject({ job: 'backup', code: 'no-backup-stored' });
    expect(status.repositories[0]).toMatchObject({ name: 'cloud', error: { code: 'store-unreachable' } });
    expect((await agent.get('/')).body).toContain('Danger');
    // Told once as an error; counted always.
    const told = agent.log().filter(({ msg, job }) => msg === 'failed' && job === 'backup');
    expect(told.map(({ level }) => level)).toEqual(['error', ...told.slice(1).map(() => 'debug')]);
    // Nothing was streamed that could not be stored.
    const attempts = agent.log().filter(({ msg }) => msg === 'snapshot begins').length;
    const runs = await agent.metric(failed);
    expect(attempts).toBeLessThanOrEqual((runs ?? 0) + 1);
    expect(sampler.take().filter(({ openSnapshots }) => openSnapshots > 1)).toEqual([]);
    expect(await cluster.etcdctl(['endpoint', 'health'])).not.toContain('unhealthy');

    proxy.set({ kind: 'none' });
    await until(async () => (await agent.status()).verdict.level === 'safe', 'the first backup after its return');
    expect(agent.log().some(({ msg }) => msg === 'done, for the first time since it failed')).toBe(true);
    expect((await agent.get('/readyz')).body).toMatch(/^ok\n/);
  });
});
