import { humanize, type Story } from '../support/story.ts';
import { always, between, heldUp, type Timeline } from '../support/timelines.ts';
import {
  certificate,
  day,
  lastRun,
  ofJob,
  reloadSuccessful,
  rhythm,
  runsSoFar,
  wellCluster,
  type Regular,
} from '../support/well-cluster.ts';

/** How many runs found the lock held, which they all do from minute 100 to 360. */
const inVain =
  (regular: Regular): Timeline =>
  (minute) =>
    runsSoFar(regular)(Math.min(minute, 360) - 100);

/** What runs need: the lock, a configuration, certificates. */
export const agentStories: readonly Story[] = [
  {
    title: 'are raised when every run finds the lock held',
    minutes: 420,
    series: {
      ...wellCluster,
      [ofJob.skipped('defrag', 'busy')]: inVain(rhythm.defrag),
    },
    raised: [
      {
        alert: 'EtcdWardenLockStuck',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'defrag' },
        // Of the last three hours nine of ten runs were such.
        from: 265 + 60,
        to: 370,
        summary: 'defrag of prod finds the lock held, again and again.',
      },
    ],
  },
  {
    title: 'are raised when every backup waits for the lock in vain',
    minutes: 420,
    series: {
      ...wellCluster,
      [ofJob.lastSuccess('backup')]: heldUp(100, 360, lastRun(rhythm.backup)),
      [ofJob.runs('backup', 'busy')]: inVain(rhythm.backup),
      [ofJob.runs('backup', 'succeeded')]: (minute) =>
        (runsSoFar(rhythm.backup)(minute) ?? 0) - (inVain(rhythm.backup)(minute) ?? 0),
    },
    raised: [
      {
        alert: 'EtcdWardenBackupFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'backup' },
        from: 105 + 60,
        to: 355,
        summary: 'Backups of prod fail.',
      },
      {
        alert: 'EtcdWardenLockStuck',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'backup' },
        from: 265 + 60,
        to: 370,
        summary: 'backup of prod finds the lock held, again and again.',
      },
    ],
  },
  {
    title: 'do not mind that one of two daemons always finds the lock held',
    minutes: 300,
    series: {
      ...wellCluster,
      [ofJob.skipped('defrag', 'busy')]: (minute) => Math.floor((runsSoFar(rhythm.defrag)(minute) ?? 0) / 2),
    },
    raised: [],
  },
  {
    title: 'are raised when a new configuration was refused, until one is accepted',
    minutes: 120,
    series: { ...wellCluster, [reloadSuccessful]: between(60, 100, 0, always(1)) },
    raised: [
      {
        alert: 'EtcdWardenConfigRejected',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'etcd-warden', instance: '10.0.0.1:9427' },
        from: 75,
        to: 95,
        summary: 'The agent of prod at 10.0.0.1:9427 refused its new configuration.',
      },
    ],
  },
  {
    title: 'are raised a month before a certificate expires',
    minutes: 220,
    series: {
      ...wellCluster,
      [certificate('etcd-client')]: between(0, 200, 60 * (30 * day + 100), always(60 * 90 * day)),
    },
    raised: [
      {
        alert: 'EtcdWardenCertificateExpires',
        severity: 'warning',
        labels: { cluster: 'prod', use: 'etcd-client' },
        from: 105 + 60,
        to: 195,
        summary: 'The certificate etcd-client of prod expires in 29d 22h 55m 0s.',
      },
    ],
  },
  {
    title: 'say it more loudly a week before a certificate expires, but not for one of a bundle',
    minutes: 220,
    series: {
      ...wellCluster,
      [certificate('etcd-ca')]: between(0, 200, 60 * (7 * day + 100), always(60 * 90 * day)),
      [certificate('store-ca')]: between(0, 200, 0, always(60 * 90 * day)),
    },
    raised: [
      {
        alert: 'EtcdWardenCertificateExpires',
        severity: 'warning',
        labels: { cluster: 'prod', use: 'etcd-ca' },
        from: 60,
        to: 100,
        summary: 'The certificate etcd-ca of prod expires in 7d 0h 40m 0s.',
      },
      {
        alert: 'EtcdWardenCertificateExpires',
        severity: 'critical',
        labels: { cluster: 'prod', use: 'etcd-ca' },
        from: 105 + 15,
        to: 195,
        summary: 'The certificate etcd-ca of prod expires in 6d 23h 40m 0s.',
      },
      {
        alert: 'EtcdWardenCertificateExpires',
        severity: 'warning',
        labels: { cluster: 'prod', use: 'store-ca' },
        from: 60,
        to: 195,
        summary: (minute) => `The certificate store-ca of prod expires in -${humanize(minute)}.`,
      },
    ],
  },
];
