import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../support/etcd.ts';
import type { FoundSeries } from '../support/prometheus.ts';
import { localRepository } from '../e2e/support/places.ts';
import { startAgent, until } from '../e2e/support/running-agent.ts';
import { makeTempFolder, writeConfig } from '../e2e/support/warden.ts';
import { alertFile, readRules } from './support/alert-file.ts';
import { queriesOf, readDashboard } from './support/dashboard-file.ts';
import { type RuledPrometheus, startRuledPrometheus } from './support/ruled-prometheus.ts';

/** Queries that rightly find nothing here, and why. */
const nothingYet: Readonly<Record<string, string>> = {
  'Alerts A': 'no alert is raised',
  'Age against its limit C': 'no drill is scheduled',
  'Age of the newest drilled backup B': 'no drill is scheduled',
  'How long defragmentations took, nine of ten A': 'no member was due',
};

describe('A real Prometheus that scrapes a real agent of a real etcd', () => {
  const stack = new AsyncDisposableStack();
  let prometheus: RuledPrometheus;

  beforeAll(async () => {
    const cluster = stack.use(await startCluster({ tls: 'mtls' }));
    const { certificates } = cluster;
    if (certificates === undefined) throw new Error('no certificates');
    const { caFile, client } = certificates;
    const folder = stack.use(await makeTempFolder());
    const repository = join(folder.path, 'repository');
    await mkdir(repository);
    const common = {
      cluster: { name: 'prod', endpoints: cluster.endpoints, tls: { caFile, ...client } },
      encryption: 'none',
      watch: { repositories: '10s', members: '5s' },
    };
    const everyFewSeconds = {
      backup: { cron: '*/2 * * * * *', jitter: '0s' },
      verify: { cron: '*/3 * * * * *', subset: '1/14' },
      prune: { cron: '*/3 * * * * *' },
      defrag: { cron: '*/3 * * * * *' },
    };
    const agent = stack.use(
      await startAgent((listen) =>
        writeConfig(folder.path, {
          ...common,
          repositories: [localRepository(repository)],
          schedules: everyFewSeconds,
          http: { listen },
        }),
      ),
    );
    const other = join(folder.path, 'other');
    await mkdir(other);
    const exporter = stack.use(
      await startAgent((listen) =>
        writeConfig(other, {
          ...common,
          cluster: { ...common.cluster, name: 'dark' },
          repositories: [localRepository(join(folder.path, 'not-mounted'))],
          http: { listen },
        }),
      ),
    );
    const addresses = [agent, exporter].map(({ url }) => url.replace('http://', ''));
    prometheus = stack.use(await startRuledPrometheus(addresses, alertFile));
    agent.warden.signal('SIGHUP');
    await until(async () => (await ended('backup')) > 2 && (await ended('verify')) > 1, 'backups and read-backs');
    await drill(repository);
    for (const series of ['repository_newest_drilled_timestamp_seconds', 'config_last_reload_successful']) {
      const expression = `etcd_warden_${series}{cluster="prod"}`;
      await until(async () => (await prometheus.query(expression)).length > 0, series);
    }
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  const ended = async (job: string): Promise<number> =>
    (
      await prometheus.query(`increase(etcd_warden_job_runs_total{cluster="prod",job="${job}",result="succeeded"}[1m])`)
    )[0]?.value ?? 0;

  it('evaluates every rule, and no alert is about to be raised but those for certificates that last some days', async () => {
    await until(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'), 'all rules');
    const rules = await prometheus.rules();
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    const stirring = rules.filter(({ state = 'inactive' }) => state !== 'inactive').map(({ name }) => name);
    expect([...new Set(stirring)]).toEqual(['EtcdWardenCertificateExpires']);
    expect(await prometheus.query('etcd_warden:backup_age_limit_seconds{cluster="prod"}')).toMatchObject([
      { value: 2 * 2 + 900 },
    ]);
  });

  it('takes a day for the interval where an exporter knows none', async () => {
    const intervals = await prometheus.query('etcd_warden:job_interval_seconds{cluster="dark"}');
    const byJob = new Map(intervals.map(({ labels, value }) => [labels['job'], value]));
    expect(byJob).toEqual(new Map(['backup', 'verify'].map((job) => [job, 86_400])));
  });

  it('sees since when a repository could not be listed that never could', async () => {
    const rule = readRules().alerts.find(
      ({ alert, labels }) => alert === 'EtcdBackupRepositoryNotListed' && labels['severity'] === 'warning',
    );
    const found = await prometheus.query(rule?.expr.replace('> 3600', '> 0') ?? '');
    const dark = found.filter(({ labels }) => labels['cluster'] === 'dark');
    expect(dark.map(({ labels }) => labels)).toEqual([{ cluster: 'dark', repository: 'local' }]);
    expect(dark[0]?.value).toBeLessThan(300);
  });

  it.each(queriesOf(readDashboard()))('answers the dashboard: $panel, $refId', async (query) => {
    const { panel, refId, expr, legendFormat } = query;
    const expression = expr
      .replaceAll('$cluster', 'prod')
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$__range', '1h');
    const found = await prometheus.query(expression);
    expect(found.some(isNumber)).toBe(nothingYet[`${panel} ${refId}`] === undefined);
    const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    for (const { labels } of found) expect(Object.keys(labels)).toEqual(expect.arrayContaining(named));
  });
});

const isNumber = ({ value }: FoundSeries): boolean => Number.isFinite(value);

/** Leaves the evidence of a drill that passed beside the newest backup that was read back. */
async function drill(repository: string): Promise<void> {
  const files = await readdir(repository, { recursive: true });
  const [verified = ''] = files
    .filter((file) => /verified-[^/]*\.json$/.test(file))
    .sort()
    .reverse();
  const drilled = join(dirname(verified), basename(verified).replace('verified', 'drilled'));
  await copyFile(join(repository, verified), join(repository, drilled));
}
