import { beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import { writeText } from '../../../src/adapters/observability/exposition.ts';
import type { FactGroup, MetricsExport } from '../../../src/ports/metrics-export.ts';
import type { Metrics } from '../../../src/ports/metrics.ts';
import { at, repositoryFacts, tellEverything } from './everything-told.ts';

const linesOf = ({ families }: FactGroup): string[] =>
  writeText(families)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/,?cluster="prod"/, ''));

describe('what a one-shot run hands on', () => {
  let metrics: Metrics & MetricsExport;

  beforeEach(() => {
    metrics = createMetrics({ cluster: 'prod', version: '1.2.3' });
  });

  it('is nothing before a job ended or a repository was listed', async () => {
    metrics.jobStarted('backup');
    metrics.repositoriesConfigured(['primary']);
    expect(await metrics.runFacts()).toEqual([]);
  });

  it('is of a job that failed all but the last success', async () => {
    metrics.jobStarted('backup');
    metrics.jobEnded('backup', { result: 'failed', seconds: 6.5, at: at(4000) });
    const [group, ...others] = await metrics.runFacts();
    expect(others).toEqual([]);
    expect(group).toMatchObject({ about: 'job', job: 'backup', cluster: 'prod' });
    expect(linesOf(group ?? expect.fail())).toEqual([
      'etcd_warden_build_info{version="1.2.3"} 1',
      'etcd_warden_job_last_run_timestamp_seconds{job="backup"} 4000',
      'etcd_warden_job_last_run_successful{job="backup"} 0',
      'etcd_warden_job_last_run_duration_seconds{job="backup"} 6.5',
    ]);
  });

  it('is of each job its own, the sizes of a backup with the backup', async () => {
    const groups = await tellEverything().runFacts();
    const jobs = groups.filter((group) => group.about === 'job');
    expect(jobs.map(({ job }) => job)).toEqual(['backup', 'verify', 'drill']);
    for (const group of jobs) {
      const lines = linesOf(group);
      expect(lines.filter((line) => /job="/.test(line) && !line.includes(`job="${group.job}"`))).toEqual([]);
      expect([group.job, lines.some((line) => line.startsWith('etcd_warden_snapshot_size_bytes'))]).toEqual([
        group.job,
        group.job === 'backup',
      ]);
    }
  });

  it('is everything of each repository that was listed, and of no other', async () => {
    const groups = (await tellEverything().runFacts()).filter((group) => group.about === 'repository');
    expect(groups.map(({ repository, cluster }) => [repository, cluster])).toEqual([['primary', 'prod']]);
    expect(groups.flatMap(linesOf)).toEqual([
      'etcd_warden_repository_newest_backup_timestamp_seconds{repository="primary"} 4000',
      'etcd_warden_repository_newest_verified_timestamp_seconds{repository="primary"} 3000',
      'etcd_warden_repository_newest_drilled_timestamp_seconds{repository="primary"} 2000',
      'etcd_warden_repository_backups{repository="primary",state="complete"} 7',
      'etcd_warden_repository_backups{repository="primary",state="incomplete"} 1',
      'etcd_warden_repository_backups{repository="primary",state="damaged"} 2',
      'etcd_warden_repository_backups{repository="primary",state="held"} 3',
      'etcd_warden_repository_stored_bytes{repository="primary"} 123456',
      'etcd_warden_repository_last_listed_timestamp_seconds{repository="primary"} 5000',
    ]);
  });

  it('is said of a repository whether or not a job ended', async () => {
    metrics.repositoryListed('local', repositoryFacts);
    expect((await metrics.runFacts()).map(({ about }) => about)).toEqual(['repository']);
  });
});
