import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import { pushToGateway } from '../../../src/adapters/observability/push-gateway.ts';
import type { MetricsExport } from '../../../src/ports/metrics-export.ts';
import type { Metrics, RepositoryFacts } from '../../../src/ports/metrics.ts';
import { type TestPrometheus, startPrometheus } from '../../support/prometheus.ts';
import { type TestPushgateway, startPushgateway } from '../../support/pushgateway.ts';
import { at, repositoryFacts, tellEverything } from './everything-told.ts';

describe('a real Pushgateway', () => {
  let gateway: TestPushgateway;
  let prometheus: TestPrometheus;

  beforeAll(async () => {
    gateway = await startPushgateway();
    prometheus = await startPrometheus([{ job: 'gateway', address: gateway.address, honorLabels: true }]);
  });

  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await gateway?.[Symbol.asyncDispose]();
  });

  /** As a process of its own would: what it was told is all that it knows. */
  async function run(cluster: string, tell: (metrics: Metrics) => void, url = gateway.url): Promise<void> {
    const metrics: Metrics & MetricsExport = createMetrics({ cluster, version: '1.2.3' });
    tell(metrics);
    await pushToGateway(url, await metrics.runFacts(), new AbortController().signal);
  }

  const valueOf = async (
    name: string,
    cluster: string,
    labels: Record<string, string>,
  ): Promise<number | undefined> => {
    const samples = await gateway.samples(`etcd_warden_${name}`);
    const wanted = Object.entries({ cluster, ...labels });
    const found = samples.filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value));
    expect(found.length).toBeLessThan(2);
    return found[0]?.value;
  };

  // field: F166
  it('keeps the last success when a run fails after it, and says that the last run failed', async () => {
    const job = 'backup';
    await run('f166', (metrics) => {
      metrics.backupCommitted({ snapshotBytes: 100, storedBytes: 30, streamHeldSeconds: 1, stageSeconds: new Map() });
      metrics.jobEnded(job, { result: 'succeeded', seconds: 5, at: at(1000) });
    });
    await run('f166', (metrics) => metrics.jobEnded(job, { result: 'failed', seconds: 2, at: at(2000) }));
    expect(await valueOf('job_last_success_timestamp_seconds', 'f166', { job })).toBe(1000);
    expect(await valueOf('job_last_run_successful', 'f166', { job })).toBe(0);
    expect(await valueOf('job_last_run_timestamp_seconds', 'f166', { job })).toBe(2000);
    expect(await valueOf('job_last_run_duration_seconds', 'f166', { job })).toBe(2);
    expect(await valueOf('snapshot_size_bytes', 'f166', { stage: 'stored' })).toBe(30);
  });

  // field: F166
  it('keeps what other jobs and other clusters said', async () => {
    await run('one', (metrics) => metrics.jobEnded('backup', { result: 'succeeded', seconds: 5, at: at(1000) }));
    await run('two', (metrics) => metrics.jobEnded('backup', { result: 'succeeded', seconds: 5, at: at(1100) }));
    await run('one', (metrics) => metrics.jobEnded('verify', { result: 'succeeded', seconds: 5, at: at(1200) }));
    const successes = await gateway.samples('etcd_warden_job_last_success_timestamp_seconds');
    expect(
      successes.filter(({ labels }) => ['one', 'two'].includes(labels['cluster'] ?? '')).map(({ value }) => value),
    ).toEqual(expect.arrayContaining([1000, 1100, 1200]));
  });

  it('says of a repository what was listed last, by whatever job, and nothing that is gone', async () => {
    const listed = (facts: Partial<RepositoryFacts>) => (metrics: Metrics) => {
      metrics.repositoryListed('primary', { ...repositoryFacts, ...facts });
    };
    const [repository, cluster] = ['primary', 'emptied'];
    await run(cluster, (metrics) => {
      listed({})(metrics);
      metrics.jobEnded('backup', { result: 'succeeded', seconds: 5, at: at(1000) });
    });
    expect(await valueOf('repository_newest_verified_timestamp_seconds', cluster, { repository })).toBe(3000);
    await run(cluster, (metrics) => {
      listed({ listedAt: at(7000), newestBackupAt: at(3500), newestVerifiedAt: undefined })(metrics);
      metrics.jobEnded('verify', { result: 'failed', seconds: 5, at: at(7000) });
    });
    expect(await valueOf('repository_newest_verified_timestamp_seconds', cluster, { repository })).toBeUndefined();
    expect(await valueOf('repository_newest_backup_timestamp_seconds', cluster, { repository })).toBe(3500);
    expect(await valueOf('job_last_success_timestamp_seconds', cluster, { job: 'backup' })).toBe(1000);
  });

  it('takes everything that there is to hand on, again and again, and Prometheus finds it under our label', async () => {
    for (let round = 0; round < 2; round += 1) {
      const groups = await tellEverything().runFacts();
      await pushToGateway(gateway.url, groups, new AbortController().signal);
    }
    const found = await prometheus.queryUntil(
      'etcd_warden_job_last_success_timestamp_seconds{cluster="prod"}',
      ({ length }) => length === 2,
    );
    expect(found.map(({ labels, value }) => `${labels['job']} ${value}`).sort()).toEqual(['backup 4000', 'drill 4100']);
    expect(await prometheus.query('{__name__=~"etcd_warden_.*",exported_job!=""}')).toEqual([]);
  });

  it('may serve under a path', async () => {
    await using other = await startPushgateway({ basePath: '/some/where' });
    await run(
      'prod',
      (metrics) => metrics.jobEnded('drill', { result: 'busy', seconds: 1, at: at(1) }),
      `${other.url}/`,
    );
    expect(await other.samples('etcd_warden_job_last_run_successful')).toEqual([
      { labels: { job: 'drill', cluster: 'prod' }, value: 0 },
    ]);
  });
});
