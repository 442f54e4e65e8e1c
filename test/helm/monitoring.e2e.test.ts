import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runPromtool } from '../support/prometheus.ts';
import type { PrometheusRule } from './kubernetes-objects.ts';
import { readExample, renderChart, withValue } from './render-chart.ts';

const root = resolve(import.meta.dirname, '../..');

async function rulesWith(settings: object, example = 'generic'): Promise<PrometheusRule['spec']> {
  const monitoring = { prometheusRule: { enabled: true, ...settings } };
  const { all } = await renderChart(withValue(await readExample(example), 'monitoring', monitoring));
  const [rule] = all('PrometheusRule');
  if (rule === undefined) throw new Error('there is no PrometheusRule');
  return rule.spec;
}

// BC-16
it('the rules are those of monitoring/alerts.yaml, word for word, behind the intervals of the CronJobs', async () => {
  const { groups } = await rulesWith({});
  const own = parse(await readFile(resolve(root, 'monitoring/alerts.yaml'), 'utf8')) as PrometheusRule['spec'];
  expect(groups[0]?.name).toBe('etcd-warden-intervals');
  expect(groups.slice(1)).toEqual(own.groups);
});

it('Prometheus takes them', async () => {
  const { status, output } = await withRuleFile(await rulesWith({}, 'everything'), (ruleFile) =>
    runPromtool(['check', 'rules', ruleFile]),
  );
  expect([status, output]).toEqual([0, expect.stringContaining('SUCCESS')]);
});

it('the intervals that the chart tells are those that the limits of the alerts come from', async () => {
  const test = {
    interval: '1m',
    input_series: [{ series: 'etcd_warden_build_info{cluster="tenant-a"}', values: '1x10' }],
    promql_expr_test: [
      {
        expr: 'etcd_warden:backup_age_limit_seconds',
        eval_time: '5m',
        // Half an hour, twice, and a quarter.
        exp_samples: [{ labels: 'etcd_warden:backup_age_limit_seconds{cluster="tenant-a"}', value: 4500 }],
      },
    ],
  };
  const said = await tellPromtool(test);
  expect(said).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') as string });
});

// BC-16
it.each([
  [
    'a fresh install is given until its first backup is overdue by the interval of its CronJob',
    '1x130',
    [100, 110],
    'EtcdBackupMissing',
  ],
  ['nobody is left to tell anything once the exporter is gone', '1x60 stale', [85, 95], 'EtcdWardenSilent'],
] as const)('%s', async (_, life, [before, after], alert) => {
  const listed = 'etcd_warden_repository_last_listed_timestamp_seconds{cluster="tenant-a",repository="primary"}';
  const firing = (minute: number, names: readonly string[]): object => ({
    expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  });
  const test = {
    interval: '1m',
    input_series: [
      { series: 'etcd_warden_build_info{cluster="tenant-a"}', values: life },
      { series: listed, values: life.replace('1x', '0+60x') },
    ],
    promql_expr_test: [firing(before, []), firing(after, [alert])],
  };
  expect(await tellPromtool(test)).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') as string });
});

it('an alert can be left out, and further rules added', async () => {
  const extra = { name: 'own', rules: [{ alert: 'Own', expr: 'vector(1)' }] };
  const { groups } = await rulesWith({ disabled: ['EtcdBackupTooOld'], extraGroups: [extra] });
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  expect(alerts).not.toContain('EtcdBackupTooOld');
  expect(alerts).toContain('EtcdBackupMissing');
  expect(groups.at(-1)).toEqual(extra);
});

describe('the alert about CronJobs', () => {
  it.each([
    ['under another name', { fullnameOverride: 'ew' }],
    ['whose name had to be cut', { fullnameOverride: 'production-europe-west-1-platform-etcd-w' }],
    ['under the usual name', {}],
  ])('knows every one %s, those of other releases, and no stranger', async (_, names) => {
    const values = withValue(await readExample('everything'), 'monitoring', { prometheusRule: { enabled: true } });
    const { all } = await renderChart({ ...values, fullnameOverride: '', ...names });
    const [rule] = all('PrometheusRule');
    const jobs = all('CronJob').map(({ metadata }) => metadata.name);
    expect(jobs).toHaveLength(6);
    const found = cronJobsOf(rule?.spec);
    expect(found).toHaveLength(4);
    for (const expression of found) {
      expect(jobs.filter((name) => !expression.test(name))).toEqual([]);
      expect(expression.test('other-etcd-warden-backup')).toBe(true);
      expect(
        ['new-brewery', 'ew', 'crew-main-backup', 'ew-main-backup-x', 'a'].filter((name) => expression.test(name)),
      ).toEqual([]);
    }
  });

  it('finds one whose release has a long name with a dot', async () => {
    const values = withValue(await readExample('everything'), 'monitoring', { prometheusRule: { enabled: true } });
    const { all } = await renderChart(withValue(values, 'fullnameOverride', ''), {
      release: 'production-europe.west-1-platform',
    });
    const jobs = all('CronJob').map(({ metadata }) => metadata.name);
    expect(jobs).toContain('production-europe.west-1-platform-etcd-events-backup');
    for (const expression of cronJobsOf(all('PrometheusRule')[0]?.spec)) {
      expect(jobs.filter((name) => !expression.test(name))).toEqual([]);
      expect(expression.test('production-europe-west-1-platform-etcd-events-backup')).toBe(false);
    }
  });
});

it('a further release tells of its CronJobs and brings no alerts a second time', async () => {
  const { groups } = await rulesWith({ alerts: false }, 'everything');
  expect(groups.map(({ name }) => name)).toEqual(['etcd-warden-intervals']);
  const intervals = groups[0]?.rules.map(({ labels }) => `${labels?.['cluster']}/${labels?.['job']}`);
  expect(intervals).toEqual(['main/backup', 'main/verify', 'main/defrag', 'prod-events/backup', 'prod-events/defrag']);
});

it('the dashboard is that of monitoring/dashboard.json', async () => {
  const values = withValue(await readExample('generic'), 'monitoring', { dashboard: { enabled: true } });
  const { find } = await renderChart(values);
  const shown: unknown = JSON.parse(find('ConfigMap', 'etcd-warden-dashboard').data['etcd-warden.json'] ?? '');
  expect(shown).toEqual(JSON.parse(await readFile(resolve(root, 'monitoring/dashboard.json'), 'utf8')));
});

/** The expressions by which the rules choose CronJobs, anchored as Prometheus does it. */
function cronJobsOf(spec: PrometheusRule['spec'] | undefined): readonly RegExp[] {
  const expressions = (spec?.groups ?? []).flatMap(({ rules }) => rules.map(({ expr }) => expr)).join('\n');
  return [...expressions.matchAll(/cronjob=~"([^"]+)"/g)].map(([, names = '']) => new RegExp(`^(?:${names})$`));
}

/** What promtool says of a test of the rules that the example `generic` comes with. */
async function tellPromtool(test: object): Promise<{ readonly status: number; readonly output: string }> {
  return withRuleFile(await rulesWith({}), async (ruleFile) => {
    const testFile = join(dirname(ruleFile), 'test.json');
    // JSON is YAML.
    await writeFile(testFile, JSON.stringify({ rule_files: [ruleFile], evaluation_interval: '1m', tests: [test] }));
    return runPromtool(['test', 'rules', testFile]);
  });
}

async function withRuleFile<T>(spec: PrometheusRule['spec'], use: (ruleFile: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-rules-'));
  try {
    const ruleFile = join(directory, 'rules.json');
    await writeFile(ruleFile, JSON.stringify(spec));
    return await use(ruleFile);
  } finally {
    await rm(directory, { recursive: true });
  }
}
