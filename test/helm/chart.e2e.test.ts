import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { toolVersion } from '../../src/version.ts';
import { serverBinary } from '../support/toolchain.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';
import { chart, exampleFile, helms, readExample, renderChart, type Rendering, runHelm } from './render-chart.ts';

const examples = (await readdir(join(chart, 'ci'))).map((file) => file.replace('-values.yaml', ''));
const schemas = dirname(serverBinary('schemas/v1.28.0-pod-v1.json'));
const versions = [...new Set((await readdir(schemas)).map((file) => file.split('-')[0]?.slice(1) ?? ''))];

const rendered = new Map<string, Rendering>();

beforeAll(async () => {
  for (const name of examples) rendered.set(name, await renderChart(await readExample(name)));
});

it.each(helms)('%s lints the chart as it is, and with every example', async (helm) => {
  const each = [[], ...examples.map((name) => ['--values', exampleFile(name)])];
  for (const args of each) {
    const said = await runHelm(helm, ['lint', '--strict', '--kube-version', '1.34.0', chart, ...args]);
    expect(said).toContain('1 chart(s) linted, 0 chart(s) failed');
  }
});

it.each(examples)('Helm 3 makes of the example %s what Helm 4 makes of it', async (name) => {
  const { objects } = await renderChart(await readExample(name), { helm: 'helm3' });
  expect(objects).toEqual(rendered.get(name)?.objects);
});

it('the versions of Kubernetes that are known go back to the oldest that the chart takes', async () => {
  const { kubeVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8')) as { kubeVersion: string };
  expect(versions.length).toBeGreaterThanOrEqual(10);
  expect(kubeVersion).toBe(`>=${versions.toSorted(byMinor)[0]}-0`);
});

it.each(versions)('every object of every example is one of Kubernetes %s', async (version) => {
  const objects = [...rendered.values()].flatMap((rendering) => rendering.objects);
  const skipped = objects.filter(({ kind }) => operators.includes(kind)).length;
  expect(await validate(objects, version)).toEqual({ valid: objects.length - skipped, invalid: 0, errors: 0, skipped });
});

it('a field that Kubernetes does not know would be found', async () => {
  const misspelt = rendered.get('generic')?.text.replaceAll('concurrencyPolicy', 'concurrency') ?? '';
  const objects = parseAllDocuments(misspelt).map((document) => document.toJS() as KubernetesObject);
  expect(await validate(objects, '1.37.0')).toMatchObject({ invalid: 4 });
});

it('the chart has the version of the agent, and its image', async () => {
  const said = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
  expect(said).toMatchObject({ version: toolVersion, appVersion: toolVersion });
  const images = rendered
    .get('kubeadm')
    ?.all('CronJob')
    .map(({ spec }) => spec.jobTemplate.spec.template.spec.containers[0].image);
  expect(new Set(images)).toEqual(new Set([`ghcr.io/etcd-warden/etcd-warden:${toolVersion}`]));
});

it('the package holds what is installed, and neither tests nor examples', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'warden-package-'));
  try {
    await runHelm('helm', ['package', chart, '--destination', directory]);
    const archive = join(directory, `etcd-warden-${toolVersion}.tgz`);
    const { stdout } = await promisify(execFile)('tar', ['--list', '--file', archive]);
    const files = stdout.trim().split('\n');
    expect(files).toContain('etcd-warden/values.schema.json');
    expect(files).toContain('etcd-warden/files/alerts.yaml');
    expect(files.filter((file) => /^etcd-warden\/(tests|ci)\//.test(file))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** Of the Prometheus operator: their schemas are not Kubernetes' own. */
const operators = ['PodMonitor', 'ServiceMonitor', 'PrometheusRule'];

interface Count {
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
  readonly skipped: number;
}

/** By the schemas of a version, and with no field that they do not know. */
async function validate(objects: readonly object[], version: string): Promise<Count> {
  const location = join(schemas, '{{.NormalizedKubernetesVersion}}-{{.ResourceKind}}{{.KindSuffix}}.json');
  const args = ['-strict', '-summary', '-output', 'json', '-kubernetes-version', version, '-schema-location', location];
  const running = promisify(execFile)(serverBinary('chart/kubeconform'), [...args, '-skip', operators.join(',')]);
  running.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  // It ends with 1 where something is wrong; what it printed says what.
  const { stdout } = await running.catch((error: unknown) => error as { stdout: string });
  return (JSON.parse(stdout) as { summary: Count }).summary;
}

function byMinor(one: string, other: string): number {
  return Number(one.split('.')[1]) - Number(other.split('.')[1]);
}
