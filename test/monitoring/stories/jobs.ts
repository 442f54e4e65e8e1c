import type { Story } from '../support/story.ts';
import { always, between, heldUp, toldBy } from '../support/timelines.ts';
import { isRunning, lastRun, ofJob, rhythm, runsSoFar, wellCluster } from '../support/well-cluster.ts';

/** Runs that fail, are late or do not come about. */
export const jobStories: readonly Story[] = [
  {
    title: 'are raised when backups keep failing, until one succeeds',
    minutes: 170,
    series: { ...wellCluster, [ofJob.lastSuccess('backup')]: heldUp(60, 150, lastRun(rhythm.backup)) },
    raised: [
      {
        alert: 'EtcdWardenBackupFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'backup' },
        from: 65 + 60,
        to: 145,
        summary: 'Backups of prod fail.',
      },
    ],
  },
  {
    title: 'are raised when the very first backups fail',
    minutes: 100,
    series: { ...wellCluster, [ofJob.lastSuccess('backup')]: between(0, 80, undefined, lastRun(rhythm.backup)) },
    raised: [
      {
        alert: 'EtcdWardenBackupFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'backup' },
        from: 60,
        to: 75,
        summary: 'Backups of prod fail.',
      },
    ],
  },
  {
    title: 'are not raised by a backup that fails once, or every second time',
    minutes: 200,
    series: {
      ...wellCluster,
      [ofJob.lastSuccess('backup')]: lastRun({ every: 20, takes: 5 }),
      [ofJob.runs('backup', 'succeeded')]: runsSoFar({ every: 20, takes: 5 }),
      [ofJob.runs('backup', 'failed')]: runsSoFar({ every: 20, takes: 15 }),
    },
    raised: [],
  },
  {
    title: 'are not raised where one agent fails and another one makes up for it',
    minutes: 200,
    series: {
      ...wellCluster,
      ...toldBy('10.0.0.9:9427', {
        [ofJob.lastRun('backup')]: always(0),
        [ofJob.lastSuccess('backup')]: always(undefined),
      }),
      ...toldBy('10.0.0.8:9427', {
        [ofJob.lastRun('backup')]: lastRun(rhythm.backup),
        [ofJob.lastSuccess('backup')]: always(0),
      }),
    },
    raised: [],
  },
  {
    title: 'are raised when a verification failed, until one succeeds',
    minutes: 170,
    series: { ...wellCluster, [ofJob.lastSuccess('verify')]: heldUp(60, 150, lastRun(rhythm.verify)) },
    raised: [
      {
        alert: 'EtcdWardenVerificationFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'verify' },
        from: 65 + 30,
        to: 145,
        summary: 'The last verify of prod failed.',
      },
    ],
  },
  {
    title: 'are raised when a drill failed, until one succeeds',
    minutes: 200,
    series: { ...wellCluster, [ofJob.lastSuccess('drill')]: heldUp(60, 180, lastRun(rhythm.drill)) },
    raised: [
      {
        alert: 'EtcdWardenVerificationFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'drill' },
        from: 65 + 30,
        to: 175,
        summary: 'The last drill of prod failed.',
      },
    ],
  },
  {
    title: 'are raised when retention is refused for hours',
    minutes: 270,
    series: { ...wellCluster, [ofJob.lastSuccess('prune')]: heldUp(60, 260, lastRun(rhythm.prune)) },
    raised: [
      {
        alert: 'EtcdWardenUpkeepFails',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'prune' },
        from: 65 + 180,
        to: 255,
        summary: 'prune of prod fails or is refused.',
      },
    ],
  },
  {
    title: 'are raised when a job does not run at all any more',
    minutes: 240,
    series: {
      ...wellCluster,
      [ofJob.lastRun('verify')]: heldUp(60, 215, lastRun(rhythm.verify)),
      [ofJob.lastSuccess('verify')]: heldUp(60, 215, lastRun(rhythm.verify)),
      [ofJob.running('verify')]: between(60, 210, 0, isRunning(rhythm.verify)),
    },
    raised: [
      {
        alert: 'EtcdWardenJobNotRunning',
        severity: 'warning',
        labels: { cluster: 'prod', job: 'verify' },
        from: 35 + 2 * 30 + 60 + 5 + 15,
        to: 205,
        summary: 'No verify of prod has run for 2h 20m 0s.',
      },
    ],
  },
  {
    title: 'do not take a run that is still under way for one that never comes',
    minutes: 300,
    series: {
      ...wellCluster,
      [ofJob.lastRun('verify')]: heldUp(60, 280, lastRun(rhythm.verify)),
      [ofJob.lastSuccess('verify')]: heldUp(60, 280, lastRun(rhythm.verify)),
      [ofJob.running('verify')]: between(60, 280, 1, isRunning(rhythm.verify)),
    },
    raised: [],
  },
];
