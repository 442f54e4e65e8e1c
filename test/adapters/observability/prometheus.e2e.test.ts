import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTextfile } from '../../../src/adapters/observability/textfile.ts';
import type { MetricsExport } from '../../../src/ports/metrics-export.ts';
import type { Metrics } from '../../../src/ports/metrics.ts';
import { runPromtool, startPrometheus, type TestPrometheus } from '../../support/prometheus.ts';
import { at, tellEverything } from './everything-told.ts';

it('promtool finds nothing to criticise in what is served', async () => {
  const { body } = await tellEverything().render(undefined);
  expect(await runPromtool(['check', 'metrics'], body)).toEqual({ status: 0, output: '' });
});

it('promtool finds nothing to criticise in a textfile that several runs wrote', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'warden-textfile-'));
  try {
    const path = join(folder, 'etcd-warden.prom');
    const groups = await tellEverything().runFacts();
    for (const some of [groups.slice(0, 2), groups.slice(2), groups]) {
      await writeTextfile(path, some, new AbortController().signal);
    }
    const text = await readFile(path, 'utf8');
    expect(text.match(/^etcd_warden_/gm)).toHaveLength(1 + 3 * 3 + 2 + 2 + 9);
    expect(await runPromtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('promtool would have found something', async () => {
  const { status, output } = await runPromtool(['check', 'metrics'], '# TYPE a counter\na 1\n');
  expect(status).not.toBe(0);
  expect(output).toContain('_total');
});

describe.each([
  ['OpenMetrics, as it asks for by itself', (accept: string | undefined) => accept],
  ['the text format, as an older one would', () => 'text/plain;version=0.0.4'],
])('a real Prometheus, served %s,', (_, acceptOf) => {
  let metrics: Metrics & MetricsExport;
  let server: Server;
  let prometheus: TestPrometheus;
  const contentTypes = new Set<string>();

  beforeAll(async () => {
    metrics = tellEverything();
    server = createServer((request, response) => {
      const serve = async (): Promise<void> => {
        const { contentType, body } = await metrics.render(acceptOf(request.headers.accept));
        contentTypes.add(contentType);
        response.writeHead(200, { 'content-type': contentType }).end(body);
      };
      serve().catch((error: unknown) => response.destroy(error as Error));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    prometheus = await startPrometheus([
      { job: 'etcd-warden', address, honorLabels: true },
      { job: 'renamed', address, honorLabels: false },
    ]);
    await prometheus.queryUntil('count(up == 1)', ([up]) => up?.value === 2);
  });

  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    server?.closeAllConnections();
    server?.close();
  });

  const valuesOf = async (expression: string): Promise<number[]> =>
    (await prometheus.query(expression)).map(({ value }) => value);

  it('has negotiated it', () => {
    const expected =
      acceptOf('asked') === 'asked' ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
    expect([...contentTypes]).toEqual([`${expected}; charset=utf-8`]);
  });

  it('stores every value under its name and labels', async () => {
    const instance = '{cluster="prod",job="etcd-warden"}';
    expect(await valuesOf(`etcd_warden_build_info${instance}`)).toEqual([1]);
    expect(await valuesOf('etcd_warden_job_runs_total{job="backup",result="succeeded"}')).toEqual([1]);
    expect(await valuesOf('etcd_warden_job_last_success_timestamp_seconds{job="backup"}')).toEqual([4000]);
    expect(await valuesOf(`etcd_warden_defrag_reclaimed_bytes_total${instance}`)).toEqual([500]);
    expect(
      await valuesOf('etcd_warden_repository_backups{repository="primary",state="held",job="etcd-warden"}'),
    ).toEqual([3]);
    expect(await valuesOf(`etcd_warden_drill_duration_seconds_sum${instance}`)).toEqual([42]);
    expect(await valuesOf(`histogram_quantile(1, etcd_warden_drill_duration_seconds_bucket${instance})`)).toEqual([60]);
  });

  it('renames our label job unless it honours labels', async () => {
    expect(await valuesOf('etcd_warden_job_interval_seconds{job="renamed",exported_job="backup"}')).toEqual([1800]);
    expect(await valuesOf('etcd_warden_job_interval_seconds{job="backup",exported_job=""}')).toEqual([1800]);
  });

  it('forgets what is absent, and follows what changes', async () => {
    const name = 'etcd_warden_member_db_size_bytes{job="etcd-warden"}';
    expect(await valuesOf(name)).toEqual([900]);
    metrics.membersSeen([]);
    metrics.jobEnded('backup', { result: 'failed', seconds: 1, at: at(9000) });
    await prometheus.queryUntil(name, ({ length }) => length === 0);
    await prometheus.queryUntil(
      'etcd_warden_job_runs_total{job="backup",result="failed"} == 1',
      ({ length }) => length === 1,
    );
    expect(await valuesOf('etcd_warden_job_last_success_timestamp_seconds{job="backup"}')).toEqual([4000]);
  });
});
