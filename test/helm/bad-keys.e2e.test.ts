import { describe, it } from 'vitest';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { helms, readExample, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const everything = await readExample('everything');

const wrongKeys: readonly WrongValues[] = [
  ['a key of the chart', withValue(generic, 'platfrom', 'kubeadm'), '/platfrom', 'there are mode, platform,'],
  ['a key of a job', withValue(generic, 'jobs.backup.shedule', '* * * * *'), '/jobs/backup/shedule', 'schedule, args'],
  [
    'a key of the pod in a cluster',
    withValue(everything, 'clusters', [{ name: 'a', pod: { toleration: [] } }]),
    '/clusters/0/pod/toleration',
    'tolerations',
  ],
  [
    'a key of the configuration',
    withValue(generic, 'config.snapshot', { idleTimout: '30s' }),
    '/config/snapshot/idleTimout',
    'prefer, idleTimeout',
  ],
  [
    'a key of a store',
    withValue(generic, 'config.repositories', [{ name: 'a', store: { type: 's3', bucket: 'bbb', regoin: 'x' } }]),
    '/config/repositories/0/store/regoin',
    'region',
  ],
  [
    'a key of a recipient',
    withValue(generic, 'config.encryption', { recipients: [{ type: 'aws-kms', keyarn: 'x' }] }),
    '/config/encryption/recipients/0/keyarn',
    'type, keyArn',
  ],
];

const wrongTypes: readonly WrongValues[] = [
  ['an unknown mode', withValue(generic, 'mode', 'daemonset'), '/mode', "'cronjob', 'daemon'"],
  ['an unknown platform', withValue(generic, 'platform', 'talos'), '/platform', "'kubeadm'"],
  [
    'a duration without a unit',
    withValue(generic, 'config.snapshot', { idleTimeout: '30' }),
    '/config/snapshot/idleTimeout',
    'must_be_a_duration_such_as_30s_15m_or_7d',
  ],
  [
    'a number for a duration',
    withValue(generic, 'config.snapshot', { idleTimeout: 30 }),
    '/config/snapshot/idleTimeout',
    'want string',
  ],
  [
    'an endpoint without a scheme',
    withValue(generic, 'config.cluster.endpoints', ['10.0.0.1:2379']),
    '/config/cluster/endpoints/0',
    'must_be_an_http_or_https_URL',
  ],
  [
    'a store of an unknown type',
    withValue(generic, 'config.repositories', [{ name: 'a', store: { type: 'gcs' } }]),
    '/config/repositories/0/store/type',
    "'s3', 'directory'",
  ],
  ['a word for encryption', withValue(generic, 'config.encryption', 'aes'), '/config/encryption', "'none'"],
  ['a map for a list', withValue(generic, 'pod', { tolerations: {} }), '/pod/tolerations', 'want null or array'],
  [
    'a short start limit',
    withValue(generic, 'cronJob', { startingDeadlineSeconds: 5 }),
    '/cronJob/startingDeadlineSeconds',
    'want 60',
  ],
  [
    'a volume at no place',
    withValue(generic, 'volumes', [{ name: 'keys', mountPath: 'keys', emptyDir: {} }]),
    '/volumes/0/mountPath',
    'must_be_an_absolute_path',
  ],
  ['a short digest', withValue(generic, 'image.digest', 'sha256:0123'), '/image/digest', 'must_be_sha256_and_64'],
  ['a role without its ARN', withValue(generic, 'aws.roleArn', 'backup'), '/aws/roleArn', 'must_be_the_ARN_of_a_role'],
  [
    'a long name of a cluster',
    withValue(everything, 'clusters', [{ name: 'a'.repeat(21) }]),
    '/clusters/0/name',
    'must_be_at_most_20',
  ],
];

describe.each(helms)('%s refuses, in a sentence that names the key and the cure,', (helm) => {
  it.each(wrongKeys)('an unknown key: %s', (_, values, key, cure) => expectRefusal(values, key, cure, helm));

  it.each(wrongTypes)('a wrong value: %s', (_, values, key, cure) => expectRefusal(values, key, cure, helm));
});
