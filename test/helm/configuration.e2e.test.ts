import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Config } from '../../src/config/schema.ts';
import { configOf } from '../config/minimal-config.ts';
import { platforms, readExample, renderChart, type Rendering, type Values, withValue } from './render-chart.ts';

const daemonSchedules = { backup: { cron: '*/30 * * * *' }, prune: { after: 'backup' } };

/** What the agent reads in a pod of the chart. */
function configIn({ find }: Rendering, name = 'etcd-warden-config', environment: Record<string, string> = {}): Config {
  return configOf(find('ConfigMap', name).data['config.yaml'] ?? '', environment);
}

describe.each(platforms)('on platform %s', (platform) => {
  it('the agent takes the configuration of its jobs', async () => {
    const config = configIn(await renderChart(await readExample(platform)));
    expect(config.cluster.endpoints).toHaveLength(1);
    expect(config.cluster.tls.certFile).toBeDefined();
    expect(config.schedules.backup.cron).toBe('');
  });

  it('the agent takes the configuration of the daemon', async () => {
    const values = withValue(
      withValue(await readExample(platform), 'mode', 'daemon'),
      'config.schedules',
      daemonSchedules,
    );
    expect(configIn(await renderChart(values)).schedules.backup.cron).toBe('*/30 * * * *');
  });

  it('what the platform fills in gives way to what is said', async () => {
    const values = withValue(await readExample(platform), 'config.cluster', {
      name: 'prod',
      endpoints: ['https://10.0.0.1:2379'],
      metrics: 'https://{host}:9979/metrics',
      tls: { caFile: '/etc/ssl/certs/own.crt', serverName: 'etcd.example.com' },
    });
    const { cluster } = configIn(await renderChart(values));
    expect(cluster).toMatchObject({
      endpoints: ['https://10.0.0.1:2379'],
      metrics: 'https://{host}:9979/metrics',
      tls: { caFile: '/etc/ssl/certs/own.crt', serverName: 'etcd.example.com' },
    });
    expect(cluster.tls.certFile).toBeDefined();
  });
});

describe('the configuration', () => {
  it('is what was given and nothing besides, where the platform knows nothing', async () => {
    const values = withValue(await readExample('daemon'), 'etcd', {});
    const { find } = await renderChart(values);
    expect(parse(find('ConfigMap', 'etcd-warden-config').data['config.yaml'] ?? '')).toEqual(values['config']);
  });

  it('of a cluster is its own above the common one', async () => {
    const rendering = await renderChart(await readExample('everything'));
    const main = configIn(rendering, 'warden-main-config');
    const events = configIn(rendering, 'warden-events-config', { EVENTS_HOST: 'events.example.com' });
    expect([main.cluster.name, events.cluster.name]).toEqual(['main', 'prod-events']);
    expect(main.repositories).toEqual(events.repositories);
    expect([main.defrag.maxRaftLag, events.defrag.maxRaftLag]).toEqual([1000, 1_000_000]);
    expect(events.cluster.endpoints).toEqual(['http://events.example.com:2379']);
  });

  it('says off where a values file was read to say false', async () => {
    const values = withValue(await readExample('generic'), 'config.cluster.metrics', false);
    expect(configIn(await renderChart(values)).cluster.metrics).toBe('off');
  });

  it('names no certificates where etcd is asked without TLS', async () => {
    const values = withValue(await readExample('kubeadm'), 'config.cluster.endpoints', ['http://10.0.0.1:2379']);
    expect(configIn(await renderChart(values)).cluster.tls).toEqual({});
  });

  it('loses a section of the platform that is set to null', async () => {
    const values = withValue(await readExample('kubeadm'), 'config.cluster.tls', null);
    expect(configIn(await renderChart(values)).cluster.tls).toEqual({});
  });

  it('starts every pod anew when it changes, and none when it does not', async () => {
    const before: Values = await readExample('generic');
    const sums = await Promise.all(
      [before, before, withValue(before, 'config.snapshot', { prefer: 'any' })].map(async (values) => {
        const { find } = await renderChart(values);
        return find('Deployment', 'etcd-warden-exporter').spec.template.metadata.annotations['checksum/config'];
      }),
    );
    expect(sums[1]).toBe(sums[0]);
    expect(sums[2]).not.toBe(sums[0]);
  });
});
