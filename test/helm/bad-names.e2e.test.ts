import { describe, expect, it } from 'vitest';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { helms, readExample, renderChart, type Values, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const everything = await readExample('everything');

const endpoints = ['https://etcd:2379'];
function clusters(...entries: readonly object[]): Values {
  const named = entries.map((entry) => ({ config: { cluster: { endpoints } }, ...entry }));
  return withValue(withValue(everything, 'clusters', named), 'networkPolicy', {});
}

/** A ServiceAccount of this name for backups, with these annotations. */
function account(name: string, annotations: object = {}): object {
  return { jobs: { backup: { serviceAccount: { create: true, name, annotations } } } };
}

const furtherBackup = {
  name: 'b-backup',
  as: 'backup',
  schedule: '1 1 * * *',
  args: ['backup'],
  activeDeadlineSeconds: 600,
};
const wrongNames: readonly WrongValues[] = [
  [
    'a further job and a cluster that come to the same name',
    clusters({ name: 'a', extraJobs: [furtherBackup] }, { name: 'a-b' }),
    'the objects of b-backup of cluster a and of backup of cluster a-b would both be named warden-a-b-backup',
    'choose another name',
  ],
  [
    'one ServiceAccount with annotations that differ',
    clusters({ name: 'a', ...account('mine', { role: 'one' }) }, { name: 'b', ...account('mine', { role: 'two' }) }),
    'jobs.backup.serviceAccount.name mine is used elsewhere with other annotations',
    'write the same annotations, or choose another name',
  ],
  [
    'a label of the chart on every object',
    withValue(generic, 'labels', { 'app.kubernetes.io/name': 'keeper' }),
    'labels: the label app.kubernetes.io/name is',
    'leave it out',
  ],
  [
    'a label of the chart on every pod',
    withValue(generic, 'pod.labels', { 'app.kubernetes.io/component': 'keeper' }),
    'pod.labels of backup: the label app.kubernetes.io/component is',
    'leave it out',
  ],
  [
    'a label of the chart on the pods of one job',
    withValue(generic, 'jobs.defrag.pod', { labels: { 'app.kubernetes.io/instance': 'a' } }),
    'pod.labels of defrag: the label app.kubernetes.io/instance is',
    'leave it out',
  ],
  [
    'a label of the chart on the pods of one cluster',
    clusters({ name: 'a', pod: { labels: { 'etcd-warden/cluster': 'b' } } }),
    'pod.labels of backup: the label etcd-warden/cluster is',
    'leave it out',
  ],
  [
    'nothing that would run',
    withValue(
      withValue(generic, 'exporter', { enabled: false }),
      'jobs',
      Object.fromEntries(['backup', 'verify', 'prune', 'defrag'].map((job) => [job, { enabled: false }])),
    ),
    'nothing would run for tenant-a',
    'enable one of jobs',
  ],
];

describe.each(helms)('%s refuses, in a sentence that names the key and the cure,', (helm) => {
  it.each(wrongNames)('%s', (_, values, key, cure) => expectRefusal(values, key, cure, helm));
});

it('a ServiceAccount that two clusters share is made once', async () => {
  const shared = account('mine', { role: 'one' });
  const { all } = await renderChart(clusters({ name: 'a', ...shared }, { name: 'b', ...shared }));
  const accounts = all('ServiceAccount').filter(({ metadata }) => metadata.name === 'mine');
  expect(accounts.map(({ metadata }) => metadata.annotations)).toMatchObject([{ role: 'one' }]);
});

it('no object has a label twice where one is said otherwise', async () => {
  const { objects, text } = await renderChart(
    withValue(generic, 'labels', { 'app.kubernetes.io/part-of': 'platform' }),
  );
  expect(new Set(objects.map(({ metadata }) => metadata.labels['app.kubernetes.io/part-of']))).toEqual(
    new Set(['platform']),
  );
  expect(text).not.toContain('part-of: etcd-warden');
});

it('a name of digits stays a text', async () => {
  const { find } = await renderChart(clusters({ name: '2026' }));
  expect(find('CronJob', 'warden-2026-backup').metadata.labels['etcd-warden/cluster']).toBe('2026');
});
