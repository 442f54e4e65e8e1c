import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverBinary } from '../support/toolchain.ts';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { chart, helms, readExample, renderChart, type Values, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const daemon = await readExample('daemon');

const directory = [{ name: 'a', store: { type: 'directory', path: '/var/backups' } }];

/** Backups in a directory whose volume only these pods have. */
function keptBy(...jobs: readonly string[]): Values {
  const claim = { persistentVolumeClaim: { claimName: 'a' } };
  const volume = { name: 'backups', mountPath: '/var/backups', readOnly: false, jobs, ...claim };
  return withValue(withValue(generic, 'config.repositories', directory), 'volumes', [volume]);
}

/** A file that only these pods have. */
function withFile(values: Values, path: string, value: unknown, ...jobs: readonly string[]): Values {
  const volume = { name: 'keys', mountPath: '/keys', secret: { secretName: 'a' }, jobs };
  return withValue(withValue(values, path, value), 'volumes', [volume]);
}

const aesKey = { recipients: [{ type: 'aes-key-file', name: 'a', file: '/keys/a' }] };
const wrongVolumes: readonly WrongValues[] = [
  [
    'a directory on no volume',
    withValue(generic, 'config.repositories', [{ name: 'a', store: { type: 'directory', path: '/var/backups' } }]),
    'config.repositories[0].store.path /var/backups is on no volume',
    'readOnly: false',
  ],
  [
    'a directory that cannot be written',
    withValue(daemon, 'volumes', [
      { name: 'backups', mountPath: '/var/backups', persistentVolumeClaim: { claimName: 'a' } },
    ]),
    'is mounted read-only',
    'readOnly: false',
  ],
  [
    'a key that is not mounted',
    withValue(generic, 'config.encryption', { recipients: [{ type: 'aes-key-file', name: 'a', file: '/keys/a' }] }),
    'config.encryption.recipients[0].file is /keys/a',
    'add an entry to volumes',
  ],
  [
    'a volume over the configuration',
    withValue(generic, 'volumes', [{ name: 'a', mountPath: '/etc/etcd-warden/', emptyDir: {} }]),
    'volumes[0].mountPath /etc/etcd-warden/',
    'mount below it',
  ],
  [
    'a volume of the name of another',
    withValue(generic, 'volumes', [{ name: 'tmp', mountPath: '/a', emptyDir: {} }]),
    'volumes[0].name tmp is taken',
    'choose another one',
  ],
  [
    'a textfile on no volume',
    withValue(generic, 'config.push', { textfile: '/var/lib/node_exporter/etcd-warden.prom' }),
    'config.push.textfile /var/lib/node_exporter/etcd-warden.prom',
    'readOnly: false',
  ],
  [
    'a directory that is not there for verify',
    keptBy('backup'),
    'config.repositories[0].store.path is /var/backups, which is on no volume of verify',
    'must name verify',
  ],
  [
    'a directory that is not there for the exporter',
    keptBy('backup', 'verify', 'prune'),
    'config.repositories[0].store.path is /var/backups, which is on no volume of exporter',
    'must name exporter',
  ],
  [
    'a directory that is not there for a defragmentation that asks for backups',
    withValue(keptBy('backup', 'verify', 'prune', 'exporter'), 'config.defrag', { requireBackupWithin: '1d' }),
    'config.repositories[0].store.path is /var/backups, which is on no volume of defrag',
    'must name defrag',
  ],
  [
    'a directory that is not there for a further job of another command',
    withValue(keptBy('backup', 'verify', 'prune', 'exporter'), 'extraJobs', [
      { name: 'all', as: 'defrag', schedule: '1 1 * * *', args: ['verify', '--all'], activeDeadlineSeconds: 600 },
    ]),
    'config.repositories[0].store.path is /var/backups, which is on no volume of all',
    'must name defrag',
  ],
  [
    'a key that verify cannot open backups with',
    withFile(generic, 'config.encryption', aesKey, 'backup'),
    'config.encryption.recipients[0].file is /keys/a, which is on no volume of verify',
    'must name verify',
  ],
  [
    'a password that defrag has not',
    withFile(generic, 'config.cluster.auth', { username: 'a', passwordFile: '/keys/a' }, 'backup'),
    'config.cluster.auth.passwordFile is /keys/a, which is on no volume of defrag',
    'must name defrag',
  ],
  [
    'authorities of the store that one job has not',
    withFile(generic, 'config.aws', { caFile: '/keys/ca.crt' }, 'backup', 'verify', 'prune', 'exporter'),
    'config.aws.caFile is /keys/ca.crt, which is on no volume of defrag',
    'must name defrag',
  ],
  [
    'a volume without a source',
    withValue(generic, 'volumes', [{ name: 'keys', mountPath: '/keys' }]),
    'volumes[0] (keys) has nothing',
    'one such as secret',
  ],
  [
    'a misspelt source of a volume',
    withValue(generic, 'volumes', [{ name: 'keys', mountPath: '/keys', sceret: { secretName: 'a' } }]),
    'volumes[0] (keys) has sceret',
    'one such as secret',
  ],
  [
    'a volume of two sources',
    withValue(generic, 'volumes', [{ name: 'keys', mountPath: '/keys', secret: { secretName: 'a' }, emptyDir: {} }]),
    'volumes[0] (keys) has emptyDir and secret',
    'write one',
  ],
];

describe.each(helms)('%s refuses, in a sentence that names the key and the cure,', (helm) => {
  it.each(wrongVolumes)('%s', (_, values, key, cure) => expectRefusal(values, key, cure, helm));
});

it.each([
  ['the directory of those who ask for it', keptBy('backup', 'verify', 'prune', 'exporter')],
  ['the key of those who open backups', withFile(generic, 'config.encryption', aesKey, 'backup', 'verify')],
  [
    'the password of those who ask etcd',
    withFile(
      generic,
      'config.cluster.auth',
      { username: 'a', passwordFile: '/keys/a' },
      'backup',
      'defrag',
      'exporter',
    ),
  ],
])('nobody else needs %s', async (_, values) => {
  expect((await renderChart(values)).all('CronJob')).toHaveLength(4);
});

it('every source of a volume that Kubernetes knows is known here', async () => {
  const checks = await readFile(join(chart, 'templates/_checks-paths.tpl'), 'utf8');
  const known = /"etcd-warden.volumeSources" -}}\n(.*)\n/.exec(checks)?.[1]?.split(' ');
  expect(known?.toSorted()).toEqual([...(await volumeSources())].toSorted());
});

/** Of all versions whose schemas are here. */
async function volumeSources(): Promise<Set<string>> {
  const schemas = dirname(serverBinary('schemas/v1.28.0-pod-v1.json'));
  const files = (await readdir(schemas)).filter((file) => file.endsWith('-pod-v1.json'));
  const sources = new Set<string>();
  for (const file of files) {
    const { $defs } = JSON.parse(await readFile(join(schemas, file), 'utf8')) as PodSchema;
    const volume = $defs['io.k8s.api.core.v1.Volume'].properties;
    for (const key of Object.keys(volume)) if (key !== 'name') sources.add(key);
  }
  return sources;
}

interface PodSchema {
  readonly $defs: { readonly 'io.k8s.api.core.v1.Volume': { readonly properties: object } };
}
