import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPromtool } from '../../support/prometheus.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Values a minute apart, from 0:00 of 1970 on. */
type Series = Readonly<Record<string, string>>;

const every = (seconds: number, count: number): string => `0+${seconds}x${count}`;
const constant = (value: number, count: number): string => `${value}+0x${count}`;

const labels = 'cluster="prod",job="etcd-warden",instance="a"';
const listed = `etcd_warden_repository_last_listed_timestamp_seconds{repository="primary",${labels}}`;
const newestBackup = `etcd_warden_repository_newest_backup_timestamp_seconds{repository="primary",${labels}}`;
const newestVerified = `etcd_warden_repository_newest_verified_timestamp_seconds{repository="primary",${labels}}`;
const build = `etcd_warden_build_info{version="1.2.3",${labels}}`;
const failures = 'etcd_warden_job_runs_total{cluster="prod",job="backup",result="failed",instance="a"}';

/** A daemon that lists its repository every minute and is to back up every half hour and verify every three. */
const daemon = (minutes: number): Series => ({
  [build]: constant(1, minutes),
  [listed]: every(minute, minutes),
  'etcd_warden_job_interval_seconds{cluster="prod",job="backup",instance="a"}': constant(1800, minutes),
  'etcd_warden_job_interval_seconds{cluster="prod",job="verify",instance="a"}': constant(3 * hour, minutes),
  [failures]: constant(0, minutes),
});

describe('the alerts of docs/metrics.md', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-alerts-'));
    const page = await readFile(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
    await writeFile(join(folder, 'rules.yml'), /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? '');
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The names of the alerts that are raised at that time. */
  async function raisedAt(seconds: number, series: Series): Promise<string[]> {
    const tests = {
      rule_files: ['rules.yml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [
            { expr: 'count by (alertname) (ALERTS{alertstate="firing"})', eval_time: `${seconds}s`, exp_samples: [] },
          ],
        },
      ],
    };
    // JSON is YAML. Nothing is expected, so that promtool says what there is.
    await writeFile(join(folder, 'tests.yml'), JSON.stringify(tests));
    const { output } = await runPromtool(['test', 'rules', join(folder, 'tests.yml')]);
    if (!/SUCCESS|expr: "count by/.test(output)) throw new Error(output);
    return [...output.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name).sort();
  }

  it('are valid rules', async () => {
    const { status, output } = await runPromtool(['check', 'rules', join(folder, 'rules.yml')]);
    expect([status, output]).toEqual([0, expect.stringContaining('7 rules found')]);
  });

  // BC-16
  it('are silent while all is well, also while a job runs for an hour', async () => {
    const well = {
      ...daemon(180),
      [newestBackup]: `${every(minute, 60)} ${constant(hour, 59)} ${every(minute, 60).replace('0', String(2 * hour))}`,
      [newestVerified]: constant(0, 180),
      'etcd_warden_job_running{cluster="prod",job="backup",instance="a"}': `${constant(0, 60)} ${constant(1, 119)}`,
    };
    expect(await raisedAt(hour + 59 * minute, well)).toEqual([]);
    expect(await raisedAt(3 * hour, well)).toEqual([]);
  });

  it('are raised when two runs brought no backup', async () => {
    const old = { ...daemon(180), [newestBackup]: constant(0, 180) };
    expect(await raisedAt(75 * minute, old)).toEqual([]);
    expect(await raisedAt(81 * minute, old)).toEqual(['EtcdBackupTooOld']);
  });

  // BC-16
  it('give a fresh install the time of two runs, and no more', async () => {
    expect(await raisedAt(75 * minute, daemon(180))).toEqual([]);
    expect(await raisedAt(81 * minute, daemon(180))).toEqual(['EtcdBackupTooOld']);
  });

  it('are raised at once when a repository lost all its backups', async () => {
    const emptied = { ...daemon(300), [newestBackup]: `${every(minute, 200)} stale` };
    expect(await raisedAt(200 * minute, emptied)).toEqual([]);
    expect(await raisedAt(207 * minute, emptied)).toEqual(['EtcdBackupTooOld']);
  });

  it('are raised when nothing was ever proved whole, or nothing lately', async () => {
    const minutes = 12 * 60;
    const unverified = { ...daemon(minutes), [newestBackup]: every(minute, minutes) };
    const limit = 2 * (3 * hour + 30 * minute);
    expect(await raisedAt(limit, unverified)).toEqual([]);
    expect(await raisedAt(limit + hour + 2 * minute, unverified)).toEqual(['EtcdBackupNotVerified']);
    const once = { ...unverified, [newestVerified]: constant(hour, minutes) };
    expect(await raisedAt(limit + hour + 2 * minute, once)).toEqual([]);
    expect(await raisedAt(limit + 2 * hour + 2 * minute, once)).toEqual(['EtcdBackupNotVerified']);
  });

  // BC-16
  it('are raised when the metrics vanish, though nothing is left to compare', async () => {
    const gone = Object.fromEntries(
      Object.entries({ ...daemon(60), [newestBackup]: every(minute, 60) }).map(([name, values]) => [
        name,
        `${values} stale`,
      ]),
    );
    expect(await raisedAt(70 * minute, gone)).toEqual([]);
    expect(await raisedAt(80 * minute, gone)).toEqual(['EtcdWardenSilent']);
    expect(await raisedAt(12 * hour, gone)).toEqual(['EtcdWardenSilent']);
  });

  it('are raised when a job keeps failing, from the first failure on, and not for a single one', async () => {
    const fresh = { ...daemon(300), [newestBackup]: every(minute, 300) };
    const once = { ...fresh, [failures]: `${constant(0, 9)} ${constant(1, 290)}` };
    const often = { ...fresh, [failures]: `${constant(0, 9)} ${every(1, 290).replace('0', '1')}` };
    expect(await raisedAt(150 * minute, once)).toEqual([]);
    expect(await raisedAt(125 * minute, often)).toEqual([]);
    expect(await raisedAt(135 * minute, often)).toEqual(['EtcdWardenJobFails']);
  });

  it('are raised for a member that is nearly full, for an alarm and for a certificate', async () => {
    const series = {
      ...daemon(60),
      [newestBackup]: every(minute, 60),
      [`etcd_warden_member_db_size_bytes{member="m",${labels}}`]: constant(950, 60),
      [`etcd_warden_member_quota_bytes{member="m",${labels}}`]: constant(1000, 60),
      [`etcd_warden_member_alarm{member="m",alarm="NOSPACE",${labels}}`]: constant(1, 60),
      [`etcd_warden_member_alarm{member="m",alarm="CORRUPT",${labels}}`]: constant(0, 60),
      [`etcd_warden_certificate_expiry_timestamp_seconds{use="etcd-client",${labels}}`]: constant(14 * day, 60),
      [`etcd_warden_certificate_expiry_timestamp_seconds{use="etcd-ca",${labels}}`]: constant(20 * day, 60),
    };
    expect(await raisedAt(hour, series)).toEqual(['EtcdMemberAlarm', 'EtcdMemberNearQuota']);
    const later = Object.fromEntries(
      Object.entries(series).map(([name, values]) => [name, values.replace('x60', 'x90')]),
    );
    expect(await raisedAt(90 * minute, later)).toContain('EtcdWardenCertificateExpires');
  });
});
