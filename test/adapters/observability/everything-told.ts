import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import type { MetricsExport } from '../../../src/ports/metrics-export.ts';
import type { Metrics, RepositoryFacts } from '../../../src/ports/metrics.ts';

export const at = (seconds: number): Date => new Date(seconds * 1000);

export const repositoryFacts: RepositoryFacts = {
  listedAt: at(5000),
  newestBackupAt: at(4000),
  newestVerifiedAt: at(3000),
  newestDrilledAt: at(2000),
  backups: { complete: 7, incomplete: 1, damaged: 2, held: 3 },
  storedBytes: 123_456,
};

/** Metrics of cluster `prod` of which every family has a series. */
export function tellEverything(): Metrics & MetricsExport {
  const metrics = createMetrics({ cluster: 'prod', version: '1.2.3' });
  metrics.jobScheduled('backup', { nextRunAt: at(6000), intervalSeconds: 1800 });
  metrics.jobStarted('backup');
  metrics.backupCommitted({
    snapshotBytes: 1000,
    storedBytes: 300,
    streamHeldSeconds: 4,
    stageSeconds: new Map([
      ['choose', 0.2],
      ['stream', 4],
      ['compare', 0.7],
      ['commit', 0.1],
    ]),
  });
  metrics.jobEnded('backup', { result: 'succeeded', seconds: 6.5, at: at(4000) });
  metrics.jobEnded('drill', { result: 'succeeded', seconds: 42, at: at(4100) });
  metrics.jobEnded('verify', { result: 'damage', seconds: 2, at: at(4200) });
  metrics.jobSkipped('defrag', 'busy');
  metrics.repositoriesConfigured(['primary', 'local']);
  metrics.repositoryListed('primary', repositoryFacts);
  metrics.backupsRemoved('primary', 2);
  metrics.membersSeen([
    {
      name: 'etcd-1',
      reachable: true,
      isLeader: true,
      dbSizeBytes: 900,
      inUseBytes: 400,
      quotaBytes: 2000,
      alarms: ['NOSPACE'],
    },
  ]);
  metrics.memberDefragmented('etcd-1', { seconds: 0.4, reclaimedBytes: 500 });
  metrics.certificatesRead([{ use: 'etcd-client', expiresAt: at(9000) }]);
  metrics.clockJumped();
  metrics.configReloaded({ ok: true, at: at(100) });
  return metrics;
}

/** The series of a metric, each as `{job="backup"} 1`, in order, without the label that all of them have. */
export async function seriesOf(metrics: MetricsExport, name: string): Promise<string[]> {
  const { body } = await metrics.render(undefined);
  return body
    .split('\n')
    .filter((line) => new RegExp(`^${name}[{ ]`).test(line))
    .map((line) => line.slice(name.length).replace(/,?cluster="prod"/, ''))
    .sort();
}
