import type { Story } from '../support/story.ts';
import { always, between, heldUp, type Timelines } from '../support/timelines.ts';
import {
  newestBackup,
  newestProved,
  ofJob,
  ofRepository,
  repositories,
  rhythm,
  wellCluster,
} from '../support/well-cluster.ts';

const taken = newestBackup(rhythm.backup);
const verified = newestProved(rhythm.verify, rhythm.backup);
const drilled = newestProved(rhythm.drill, rhythm.backup);

/** The same for both repositories. */
const inBoth = (seriesOf: (repository: string) => string, timeline: Timelines[string]): Timelines =>
  Object.fromEntries(repositories.map((repository) => [seriesOf(repository), timeline]));

/** How old what could be restored is. */
export const backupStories: readonly Story[] = [
  {
    title: 'are raised when two runs brought no backup, until one does',
    minutes: 170,
    series: { ...wellCluster, ...inBoth(ofRepository.newest, heldUp(60, 150, taken)) },
    raised: [
      {
        alert: 'EtcdBackupTooOld',
        severity: 'critical',
        labels: { cluster: 'prod' },
        // The newest is from minute 50 and may be two intervals and a quarter of an hour old.
        from: 50 + 2 * 10 + 15 + 5 + 5,
        to: 145,
        summary: 'The newest backup of prod is 45m 0s old.',
      },
    ],
  },
  {
    title: 'give a longer schedule more time, by what the agent exports of it',
    minutes: 300,
    series: {
      ...wellCluster,
      [ofJob.interval('backup')]: always(3 * 3600),
      ...inBoth(ofRepository.newest, heldUp(60, 290, taken)),
    },
    raised: [],
  },
  {
    title: 'are raised when every repository lost its backups, and then say nothing of read-backs and drills',
    minutes: 320,
    series: {
      ...wellCluster,
      ...inBoth(ofRepository.newest, between(100, 300, undefined, taken)),
      ...inBoth(ofRepository.verified, between(100, 300, undefined, verified)),
      ...inBoth(ofRepository.drilled, between(100, 300, undefined, drilled)),
    },
    raised: [
      {
        alert: 'EtcdBackupMissing',
        severity: 'critical',
        labels: { cluster: 'prod' },
        from: 100 + 15,
        to: 295,
        summary: 'There is no backup of prod at all.',
      },
    ],
  },
  {
    title: 'are raised when nothing is read back any more, for each repository',
    minutes: 220,
    series: {
      ...wellCluster,
      [ofRepository.verified('second')]: heldUp(60, 200, verified),
    },
    raised: [
      {
        alert: 'EtcdBackupNotVerified',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        // What was read back last is from minute 20.
        from: 20 + 2 * (30 + 10) + 5 + 60,
        to: 195,
        summary: 'No backup of prod in second that is younger than 2h 25m 0s was read back.',
      },
    ],
  },
  {
    title: 'are raised when nothing was ever read back',
    minutes: 200,
    series: { ...wellCluster, [ofRepository.verified('second')]: between(0, 180, undefined, verified) },
    raised: [
      {
        alert: 'EtcdBackupNotVerified',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        from: 2 * (30 + 10) + 5 + 60,
        to: 175,
        summary: 'No backup of prod in second that is younger than 2h 25m 0s was read back.',
      },
    ],
  },
  {
    title: 'are raised when no drill passes any more',
    minutes: 280,
    series: { ...wellCluster, ...inBoth(ofRepository.drilled, heldUp(60, 250, drilled)) },
    raised: [
      {
        alert: 'EtcdBackupNotDrilled',
        severity: 'warning',
        labels: { cluster: 'prod' },
        // The drill of minute 0 restored the backup of ten minutes before.
        from: -10 + 2 * (60 + 10) + 5 + 60,
        to: 245,
        summary: 'No backup of prod that is younger than 3h 25m 0s was restored in a drill.',
      },
    ],
  },
  {
    title: 'expect no drill where none is scheduled',
    minutes: 280,
    series: {
      ...wellCluster,
      ...inBoth(ofRepository.drilled, always(undefined)),
      [ofJob.interval('drill')]: always(undefined),
    },
    raised: [],
  },
  {
    title: 'are raised while a damaged backup lies somewhere',
    minutes: 120,
    series: { ...wellCluster, [ofRepository.damaged('second')]: between(60, 100, 2, always(0)) },
    raised: [
      {
        alert: 'EtcdBackupDamaged',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        from: 65,
        to: 95,
        summary: 'Damaged backups of prod lie in second: 2.',
      },
    ],
  },
];
