import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../support/process.ts';
import { startAgent, until } from '../e2e/support/running-agent.ts';
import type { Container } from './kubernetes-objects.ts';
import { platforms, readExample, renderChart, withValue } from './render-chart.ts';
import { readSidecar, sidecars } from './sidecar.ts';

// BC-31
describe('what etcd-warden tells of its health takes no etcd out of service', () => {
  it.each(platforms)('on %s only the agent itself is asked, in a pod of its own', async (platform) => {
    const example = await readExample(platform);
    const daemon = withValue(withValue(example, 'mode', 'daemon'), 'config.schedules', {
      backup: { cron: '0 * * * *' },
    });
    for (const values of [example, daemon]) {
      const { all } = await renderChart(values);
      const [deployment, ...more] = all('Deployment');
      expect(more).toEqual([]);
      const container = deployment?.spec.template.spec.containers[0];
      expect(container?.livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'metrics' });
      expect(container?.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
    }
  });

  it.each(platforms)('on %s a job has no probe at all', async (platform) => {
    const { all } = await renderChart(await readExample(platform));
    for (const { spec } of all('CronJob')) {
      expectNothingGates(spec.jobTemplate.spec.template.spec.containers[0]);
      expect(spec.jobTemplate.spec.template.spec.containers[0].livenessProbe).toBeUndefined();
    }
  });

  it.each(sidecars)('as a sidecar, %s, no probe gates the pod', async (name) => {
    const { container } = await readSidecar(name);
    expectNothingGates(container);
    expect(container.livenessProbe?.httpGet.path ?? '/livez').toBe('/livez');
  });

  it('with etcd and the store both gone the probes are answered as before', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'warden-readiness-'));
    try {
      const [etcdPort, storePort] = await freePorts(2);
      await using agent = await startAgent(async (listen) => {
        const configFile = join(directory, 'config.yaml');
        const store = { type: 's3', bucket: 'gone', endpoint: `http://127.0.0.1:${storePort}`, region: 'eu-central-1' };
        const config = {
          cluster: { name: 'prod', endpoints: [`http://127.0.0.1:${etcdPort}`] },
          encryption: 'none',
          repositories: [{ name: 'primary', store }],
          schedules: { backup: { cron: '*/30 * * * *' } },
          watch: { repositories: '10s', members: '5s' },
          http: { listen },
        };
        await writeFile(configFile, JSON.stringify(config));
        return configFile;
      });
      await until(async () => (await agent.get('/readyz')).body.startsWith('degraded'), 'it knows that both are gone');
      expect((await agent.get('/readyz')).status).toBe(200);
      expect((await agent.get('/livez')).status).toBe(200);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

function expectNothingGates({ readinessProbe, startupProbe, lifecycle, ports = [] }: Container): void {
  expect({ readinessProbe, startupProbe, lifecycle }).toEqual({});
  // A port of the host that is taken would keep the whole pod from starting.
  expect(ports.filter(({ hostPort }) => hostPort !== undefined)).toEqual([]);
}
