import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { cleanEnvironment } from '../support/process.ts';
import { serverBinary } from '../support/toolchain.ts';
import type { KubernetesObject, ObjectKinds } from './kubernetes-objects.ts';

export const chart = resolve(import.meta.dirname, '../../helm/etcd-warden');

export type Values = Readonly<Record<string, unknown>>;

export const platforms = ['generic', 'kubeadm', 'k3s', 'rke2', 'openshift'] as const;

/** Helm 4 and Helm 3. */
export const helms = ['helm', 'helm3'] as const;

export interface Rendering {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
  /** The object of this kind and name; fails where there is none. */
  readonly find: <K extends keyof ObjectKinds>(kind: K, name: string) => ObjectKinds[K];
  readonly all: <K extends keyof ObjectKinds>(kind: K) => readonly ObjectKinds[K][];
}

interface RenderOptions {
  readonly helm?: (typeof helms)[number];
  readonly namespace?: string;
  readonly release?: string;
}

/** What `helm template` makes of these values. */
export async function renderChart(
  values: Values,
  { helm = 'helm', namespace = 'ops', release = 'etcd-warden' }: RenderOptions = {},
): Promise<Rendering> {
  const text = await withValues(values, (file) =>
    // Helm 3 takes the oldest Kubernetes that it knows where it is not told another one.
    runHelm(helm, ['template', release, chart, '--namespace', namespace, '--kube-version', '1.34.0', '--values', file]),
  );
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  const all: Rendering['all'] = (kind) =>
    objects.filter((object): object is ObjectKinds[typeof kind] => object.kind === kind);
  return {
    text,
    objects,
    all,
    find: (kind, name) => {
      const found = all(kind).find(({ metadata }) => metadata.name === name);
      if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
      return found;
    },
  };
}

/** What Helm says of values that it does not take; fails where it takes them. */
export async function refusalOf(values: Values, options: RenderOptions = {}): Promise<string> {
  const refusal = await renderChart(values, options).then(
    () => undefined,
    (error: unknown) => (error as { stderr: string }).stderr,
  );
  if (refusal === undefined) throw new Error('the values were taken');
  return refusal;
}

export async function runHelm(helm: (typeof helms)[number], args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(serverBinary(`chart/${helm}`), args, {
    env: cleanEnvironment(),
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

/** A values file from the chart's folder ci, in which everything has its place once. */
export async function readExample(name: string): Promise<Values> {
  return parse(await readFile(exampleFile(name), 'utf8'), { version: '1.1' }) as Values;
}

export function exampleFile(name: string): string {
  return join(chart, 'ci', `${name}-values.yaml`);
}

/** One value set upon others, by its path. */
export function withValue(values: Values, path: string, value: unknown): Values {
  const [key = '', ...rest] = path.split('.');
  const below = (values[key] ?? {}) as Values;
  return { ...values, [key]: rest.length === 0 ? value : withValue(below, rest.join('.'), value) };
}

async function withValues<T>(values: Values, use: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-chart-'));
  try {
    const file = join(directory, 'values.json');
    // JSON is YAML.
    await writeFile(file, JSON.stringify(values));
    return await use(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}
