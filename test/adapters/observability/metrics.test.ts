import { beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import type { MetricsExport } from '../../../src/ports/metrics-export.ts';
import type { MemberMeasures, Metrics } from '../../../src/ports/metrics.ts';
import { at, repositoryFacts, seriesOf } from './everything-told.ts';

let metrics: Metrics & MetricsExport;

beforeEach(() => {
  metrics = createMetrics({ cluster: 'prod', version: '1.2.3' });
});

const series = (name: string): Promise<string[]> => seriesOf(metrics, `etcd_warden_${name}`);
const sumOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

describe('at the start', () => {
  it('counters are there at 0, so that the first failure is an increase', async () => {
    expect(await series('job_runs_total')).toHaveLength(5 * 8);
    expect(await series('job_runs_total')).toContain('{job="backup",result="failed"} 0');
    expect(await series('job_skipped_total')).toContain('{job="defrag",reason="busy"} 0');
    expect(await series('clock_jumps_total')).toEqual(['{} 0']);
    expect(sumOf([...(await series('job_runs_total')), ...(await series('job_skipped_total'))])).toBe(0);
  });

  it('nothing runs', async () => {
    expect(await series('job_running')).toHaveLength(5);
    expect(sumOf(await series('job_running'))).toBe(0);
  });

  it('what is not known is absent', async () => {
    const { body } = await metrics.render(undefined);
    const gauges = [...body.matchAll(/^# TYPE etcd_warden_(\w+) gauge$/gm)].map((match) => match[1]);
    expect(gauges).toEqual(['build_info', 'job_running']);
  });

  it('says its version', async () => {
    expect(await series('build_info')).toEqual(['{version="1.2.3"} 1']);
  });
});

it('serves both formats in turn, each by its content type and whole', async () => {
  const openMetrics = 'application/openmetrics-text; version=1.0.0';
  const text = 'etcd_warden_job_runs_total{job="backup",result="failed",cluster="prod"} 0\n';
  for (const accept of [openMetrics, undefined, openMetrics, '*/*']) {
    const { contentType, body } = await metrics.render(accept);
    const isOpenMetrics = accept === openMetrics;
    expect(contentType).toBe(`${isOpenMetrics ? openMetrics : 'text/plain; version=0.0.4'}; charset=utf-8`);
    expect(body).toContain(`# TYPE etcd_warden_job_runs${isOpenMetrics ? '' : '_total'} counter\n`);
    expect(body).toContain(text);
    expect(body.endsWith('\n# EOF\n')).toBe(isOpenMetrics);
  }
});

describe('a job', () => {
  it('runs from its start to its end', async () => {
    metrics.jobStarted('verify');
    expect(await series('job_running')).toContain('{job="verify"} 1');
    metrics.jobEnded('verify', { result: 'interrupted', seconds: 1, at: at(10) });
    expect(await series('job_running')).toContain('{job="verify"} 0');
  });

  it('that succeeds is counted, timed and remembered', async () => {
    metrics.jobEnded('backup', { result: 'succeeded', seconds: 6.5, at: at(1000) });
    expect(await series('job_runs_total')).toContain('{job="backup",result="succeeded"} 1');
    expect(await series('job_duration_seconds_sum')).toEqual(['{job="backup"} 6.5']);
    expect(await series('job_duration_seconds_bucket')).toContain('{le="15",job="backup"} 1');
    expect(await series('job_last_run_timestamp_seconds')).toEqual(['{job="backup"} 1000']);
    expect(await series('job_last_run_successful')).toEqual(['{job="backup"} 1']);
    expect(await series('job_last_run_duration_seconds')).toEqual(['{job="backup"} 6.5']);
    expect(await series('job_last_success_timestamp_seconds')).toEqual(['{job="backup"} 1000']);
  });

  it.each(['failed', 'usage', 'damage', 'refused', 'partly', 'busy', 'interrupted'] as const)(
    'that ends as %s leaves the last success alone',
    async (result) => {
      metrics.jobEnded('backup', { result: 'succeeded', seconds: 6, at: at(1000) });
      metrics.jobEnded('backup', { result, seconds: 2, at: at(2000) });
      expect(await series('job_runs_total')).toContain(`{job="backup",result="${result}"} 1`);
      expect(await series('job_last_run_timestamp_seconds')).toEqual(['{job="backup"} 2000']);
      expect(await series('job_last_run_successful')).toEqual(['{job="backup"} 0']);
      expect(await series('job_last_success_timestamp_seconds')).toEqual(['{job="backup"} 1000']);
    },
  );

  it('that is skipped is counted with the reason', async () => {
    metrics.jobSkipped('backup', 'served');
    expect(await series('job_skipped_total')).toContain('{job="backup",reason="served"} 1');
  });

  it('that is no longer scheduled has no next run', async () => {
    metrics.jobScheduled('prune', { nextRunAt: at(600), intervalSeconds: 300 });
    metrics.jobScheduled('drill', { nextRunAt: at(700), intervalSeconds: 800 });
    metrics.jobScheduled('prune', undefined);
    expect(await series('job_next_run_timestamp_seconds')).toEqual(['{job="drill"} 700']);
    expect(await series('job_interval_seconds')).toEqual(['{job="drill"} 800']);
  });

  it('is a measured recovery time if it is a drill that passed', async () => {
    metrics.jobEnded('drill', { result: 'failed', seconds: 500, at: at(10) });
    metrics.jobEnded('drill', { result: 'succeeded', seconds: 42, at: at(20) });
    metrics.jobEnded('backup', { result: 'succeeded', seconds: 7, at: at(30) });
    expect(await series('drill_duration_seconds_sum')).toEqual(['{} 42']);
  });
});

describe('a repository', () => {
  it('is what its last listing said', async () => {
    metrics.repositoryListed('primary', repositoryFacts);
    const emptied = { complete: 0, incomplete: 0, damaged: 0, held: 0 };
    const nothing = { newestBackupAt: undefined, newestVerifiedAt: undefined, newestDrilledAt: undefined };
    metrics.repositoryListed('primary', { listedAt: at(6000), ...nothing, backups: emptied, storedBytes: 0 });
    expect(await series('repository_newest_backup_timestamp_seconds')).toEqual([]);
    expect(await series('repository_newest_verified_timestamp_seconds')).toEqual([]);
    expect(await series('repository_newest_drilled_timestamp_seconds')).toEqual([]);
    expect(await series('repository_backups')).toContain('{repository="primary",state="complete"} 0');
    expect(await series('repository_stored_bytes')).toEqual(['{repository="primary"} 0']);
    expect(await series('repository_last_listed_timestamp_seconds')).toEqual(['{repository="primary"} 6000']);
  });

  it('counts removals from 0, before there are any', async () => {
    metrics.repositoriesConfigured(['primary', 'local']);
    metrics.backupsRemoved('local', 3);
    metrics.backupsRemoved('local', 1);
    expect(await series('prune_removed_total')).toEqual(['{repository="local"} 4', '{repository="primary"} 0']);
  });

  it('that was taken out of the configuration disappears, and a late listing of it changes nothing', async () => {
    metrics.repositoriesConfigured(['primary', 'local']);
    metrics.repositoryListed('primary', repositoryFacts);
    metrics.repositoryListed('local', repositoryFacts);
    metrics.repositoriesConfigured(['local']);
    metrics.repositoryListed('primary', repositoryFacts);
    metrics.backupsRemoved('primary', 1);
    const { body } = await metrics.render(undefined);
    expect(body).not.toContain('repository="primary"');
    expect(await series('repository_newest_backup_timestamp_seconds')).toEqual(['{repository="local"} 4000']);
  });
});

describe('members', () => {
  const member = (name: string, measures: Partial<MemberMeasures> = {}): MemberMeasures => ({
    name,
    reachable: true,
    isLeader: false,
    dbSizeBytes: undefined,
    inUseBytes: undefined,
    quotaBytes: undefined,
    alarms: [],
    ...measures,
  });

  it('are said with what is known of them', async () => {
    metrics.membersSeen([
      member('a', { isLeader: true, dbSizeBytes: 900, inUseBytes: 0, quotaBytes: 2000, alarms: ['CORRUPT'] }),
      member('b', { reachable: false }),
    ]);
    expect(await series('member_db_size_bytes')).toEqual(['{member="a"} 900']);
    expect(await series('member_db_in_use_bytes')).toEqual(['{member="a"} 0']);
    expect(await series('member_quota_bytes')).toEqual(['{member="a"} 2000']);
    expect(await series('member_reachable')).toEqual(['{member="a"} 1', '{member="b"} 0']);
    expect(await series('member_is_leader')).toEqual(['{member="a"} 1', '{member="b"} 0']);
    expect(await series('member_alarm')).toEqual([
      '{member="a",alarm="CORRUPT"} 1',
      '{member="a",alarm="NOSPACE"} 0',
      '{member="b",alarm="CORRUPT"} 0',
      '{member="b",alarm="NOSPACE"} 0',
    ]);
  });

  it('that are gone disappear, with everything that was counted for them', async () => {
    metrics.membersSeen([member('a', { dbSizeBytes: 1 }), member('b', { dbSizeBytes: 2, alarms: ['NOSPACE'] })]);
    metrics.memberDefragmented('a', { seconds: 1, reclaimedBytes: 10 });
    metrics.memberDefragmented('b', { seconds: 1, reclaimedBytes: 10 });
    metrics.membersSeen([member('a')]);
    const { body } = await metrics.render(undefined);
    expect(body).not.toContain('member="b"');
    expect(await series('member_db_size_bytes')).toEqual([]);
    expect(await series('defrag_reclaimed_bytes_total')).toEqual(['{member="a"} 10']);
  });

  it('count what defragmentation gave back from 0, and neither an unknown nor a larger file takes away from it', async () => {
    metrics.membersSeen([member('a')]);
    expect(await series('defrag_reclaimed_bytes_total')).toEqual(['{member="a"} 0']);
    metrics.memberDefragmented('a', { seconds: 3, reclaimedBytes: 100 });
    metrics.memberDefragmented('a', { seconds: 5, reclaimedBytes: undefined });
    metrics.memberDefragmented('a', { seconds: 7, reclaimedBytes: -50 });
    expect(await series('defrag_reclaimed_bytes_total')).toEqual(['{member="a"} 100']);
    expect(await series('defrag_duration_seconds_sum')).toEqual(['{member="a"} 15']);
  });

  it('may be defragmented before they were seen', async () => {
    metrics.memberDefragmented('a', { seconds: 3, reclaimedBytes: 100 });
    metrics.membersSeen([member('b'), member('a')]);
    expect(await series('defrag_reclaimed_bytes_total')).toEqual(['{member="a"} 100', '{member="b"} 0']);
  });

  it('are told apart if they share a name or have none', async () => {
    metrics.membersSeen([member('a', { dbSizeBytes: 1 }), member(''), member('a', { dbSizeBytes: 2 }), member('')]);
    expect(await series('member_db_size_bytes')).toEqual(['{member="a (2)"} 2', '{member="a"} 1']);
    expect(await series('member_reachable')).toContain('{member="unnamed (2)"} 1');
    metrics.memberDefragmented('a', { seconds: 3, reclaimedBytes: 100 });
    expect(await series('defrag_reclaimed_bytes_total')).toContain('{member="a"} 100');
  });

  // BC-17
  it('make no more series than 64 members would, with names of no more than 128 characters', async () => {
    const hostile = (index: number): string => `${'\u{1F4A3}'.repeat(500)}\n"}\u202E${index}`;
    for (let round = 0; round < 3; round += 1) {
      metrics.membersSeen(Array.from({ length: 200 }, (_, index) => member(hostile(index + round))));
      metrics.memberDefragmented(hostile(1000 + round), { seconds: 1, reclaimedBytes: 1 });
    }
    const labels = (await series('member_reachable')).map((line) => /member="(.*)"}/.exec(line)?.[1] ?? '');
    expect(new Set(labels).size).toBe(64);
    expect(labels.filter((label) => label.length > 128 || /\p{C}/u.test(label))).toEqual([]);
    expect(await series('defrag_reclaimed_bytes_total')).toHaveLength(64);
  });
});

describe('the agent', () => {
  it('says of each use the certificate that expires first, and forgets those that are gone', async () => {
    metrics.certificatesRead([{ use: 'etcd-ca', expiresAt: at(1) }]);
    metrics.certificatesRead([
      { use: 'store-ca', expiresAt: at(900) },
      { use: 'store-ca', expiresAt: at(700) },
      { use: 'store-ca', expiresAt: at(800) },
    ]);
    expect(await series('certificate_expiry_timestamp_seconds')).toEqual(['{use="store-ca"} 700']);
  });

  it('says when the configuration in force was read, also after one was refused', async () => {
    metrics.configReloaded({ ok: true, at: at(100) });
    metrics.configReloaded({ ok: false, at: at(200) });
    expect(await series('config_last_reload_successful')).toEqual(['{} 0']);
    expect(await series('config_last_reload_success_timestamp_seconds')).toEqual(['{} 100']);
  });

  it('knows its process', async () => {
    const value = async (name: string): Promise<number> => sumOf(await seriesOf(metrics, name));
    const startedAt = Date.now() / 1000 - process.uptime();
    expect(Math.abs((await value('process_start_time_seconds')) - startedAt)).toBeLessThan(60);
    expect(await value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(await value('process_open_fds')).toBeGreaterThan(2);
    expect(await value('process_max_fds')).toBeGreaterThan(2);
    const before = await value('process_cpu_seconds_total');
    expect(await value('process_cpu_seconds_total')).toBeGreaterThanOrEqual(before);
    expect(before).toBeGreaterThan(0);
  });

  it('never throws for a number that is none', async () => {
    metrics.jobEnded('backup', { result: 'succeeded', seconds: Number.NaN, at: new Date(Number.NaN) });
    metrics.backupsRemoved('primary', Number.NaN);
    metrics.memberDefragmented('a', { seconds: Infinity, reclaimedBytes: Number.NaN });
    expect(await series('job_last_run_timestamp_seconds')).toEqual([]);
    expect(await series('job_runs_total')).toContain('{job="backup",result="succeeded"} 1');
    expect((await metrics.render(undefined)).body).not.toMatch(/ (NaN|[+-]?Inf)$/im);
  });
});
