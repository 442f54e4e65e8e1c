import { describe, it } from 'vitest';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { readExample, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const daemon = await readExample('daemon');
const everything = await readExample('everything');

const hanging = { activeDeadlineSeconds: 1800 };
const wrongCombinations: readonly WrongValues[] = [
  [
    'no name',
    withValue(generic, 'config.cluster.name', undefined),
    'config.cluster.name is missing',
    'set it, for example to prod',
  ],
  [
    'no endpoints',
    withValue(generic, 'config.cluster.endpoints', undefined),
    'config.cluster.endpoints is missing',
    'or set platform',
  ],
  [
    'nothing said about encryption',
    withValue(generic, 'config.encryption', undefined),
    'config.encryption is missing',
    'or write the word none',
  ],
  [
    'no recipients',
    withValue(generic, 'config.encryption', { identities: [] }),
    'config.encryption.recipients is missing',
    'name at least one key',
  ],
  [
    'no repositories',
    withValue(generic, 'config.repositories', undefined),
    'config.repositories is missing',
    'for example [{name: primary',
  ],
  [
    'half an account',
    withValue(generic, 'config.cluster.auth', { username: 'root' }),
    'config.cluster.auth needs username and passwordFile',
    'by volumes',
  ],
  [
    'half a certificate',
    withValue(withValue(generic, 'etcd', {}), 'config.cluster.tls', { certFile: '/etc/ssl/a' }),
    'config.cluster.tls needs certFile and keyFile',
    'both or neither',
  ],
  [
    'certificates without TLS',
    withValue(generic, 'config.cluster.endpoints', ['http://etcd:2379']),
    'etcd.existingSecret has no effect',
    'write https',
  ],
  [
    'a spool without a limit',
    withValue(generic, 'config.snapshot', { spool: { directory: '/spool' } }),
    'config.snapshot.spool needs directory and maxSize',
    'both',
  ],
  [
    'a schedule in the configuration of CronJobs',
    withValue(generic, 'config.schedules', { backup: { cron: '* * * * *' } }),
    'config.schedules.backup has no effect in mode cronjob',
    'set jobs.backup.schedule',
  ],
  [
    'a time zone in the configuration of CronJobs',
    withValue(generic, 'config.schedules', { timeZone: 'UTC' }),
    'config.schedules.timeZone',
    'set cronJob.timeZone',
  ],
  [
    'a schedule of prune in the configuration of CronJobs',
    withValue(generic, 'config.schedules', { prune: { cron: '* * * * *' } }),
    'config.schedules.prune.cron',
    'set jobs.prune.schedule',
  ],
  [
    'two ways to prune',
    withValue(generic, 'config.schedules', { prune: { after: 'backup' } }),
    'config.schedules.prune.after and jobs.prune.enabled',
    'set jobs.prune.enabled to false',
  ],
  [
    'a defragmentation that is off in the configuration only',
    withValue(generic, 'config.defrag', { enabled: false }),
    'config.defrag.enabled is false',
    'set jobs.defrag.enabled to false',
  ],
  [
    'a daemon without schedules',
    withValue(daemon, 'config.schedules', {}),
    'config.schedules is missing',
    'set schedules.backup.cron',
  ],
  [
    'further jobs of a daemon',
    withValue(daemon, 'extraJobs', [
      { name: 'a', as: 'verify', schedule: '1 1 * * *', args: ['verify'], activeDeadlineSeconds: 600 },
    ]),
    'extraJobs has no effect in mode daemon',
    'set config.schedules',
  ],
  [
    'replicas without a lock',
    withValue(daemon, 'config.coordination', { lock: 'none' }),
    'daemon.replicas is above 1 and config.coordination.lock is none',
    'set daemon.replicas to 1',
  ],
  [
    'a common name of several clusters',
    withValue(everything, 'config.cluster', { name: 'prod' }),
    'config.cluster.name cannot be given together with clusters',
    'clusters[].config.cluster.name',
  ],
  [
    'two clusters of one name',
    withValue(everything, 'clusters', [{ name: 'a' }, { name: 'b', config: { cluster: { name: 'a' } } }]),
    'clusters[1]: the name a is used twice',
    'each cluster needs its own',
  ],
  [
    'a mistake in one of several clusters',
    withValue(everything, 'clusters', [{ name: 'a' }]),
    'clusters[0].config.cluster.endpoints is missing',
    'list its URLs',
  ],
  [
    'a job that would block the next one',
    withValue(generic, 'jobs.backup', hanging),
    'jobs.backup.activeDeadlineSeconds is 1800',
    'lower it, or run less often',
  ],
  [
    'a job without time',
    withValue(generic, 'jobs.verify', { activeDeadlineSeconds: 60 }),
    'jobs.verify.activeDeadlineSeconds is 60',
    'must be at least 145',
  ],
  [
    'a grace period that is too short',
    withValue(generic, 'config.shutdownTimeout', '1m'),
    'pod.terminationGracePeriodSeconds is 40, no longer than config.shutdownTimeout (60 s)',
    'raise it',
  ],
  [
    'a name that is taken',
    withValue(generic, 'extraJobs', [
      { name: 'backup', as: 'backup', schedule: '1 1 * * *', args: ['backup'], activeDeadlineSeconds: 600 },
    ]),
    'extraJobs: the name backup is taken',
    'choose another one',
  ],
  [
    'two ways to credentials',
    withValue(generic, 'aws', { existingSecret: 'a', roleArn: 'arn:aws:iam::111122223333:role/a' }),
    'aws.existingSecret and aws.roleArn are both set',
    'leave one of them empty',
  ],
];

describe('Helm refuses, in a sentence that names the key and the cure,', () => {
  it.each(wrongCombinations)('%s', (_, values, key, cure) => expectRefusal(values, key, cure));
});
