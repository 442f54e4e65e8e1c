import { humanize, type Story } from '../support/story.ts';
import { always, between, heldUp, type Timeline, type Timelines } from '../support/timelines.ts';
import { newestBackup, ofJob, ofRepository, processStart, rhythm, wellCluster } from '../support/well-cluster.ts';

const taken = newestBackup(rhythm.backup);
const listed: Timeline = (minute) => 60 * minute;

/** Nothing is known of a repository between two minutes. */
const unknown = (from: number, until: number, repository: string): Timelines =>
  Object.fromEntries(
    [ofRepository.listed, ofRepository.newest, ofRepository.verified, ofRepository.drilled, ofRepository.damaged].map(
      (seriesOf) => {
        const series = seriesOf(repository);
        return [series, between(from, until, undefined, wellCluster[series] ?? always(undefined))];
      },
    ),
  );

/** Copies that are missing, and stores that do not answer. */
export const repositoryStories: readonly Story[] = [
  {
    title: 'are raised when one repository gets no backups while another does',
    minutes: 170,
    series: { ...wellCluster, [ofRepository.newest('second')]: heldUp(60, 150, taken) },
    raised: [
      {
        alert: 'EtcdBackupRepositoryBehind',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        // Its newest is from minute 50; that of minute 90, listed at 95, is the first which is more than 35 younger.
        from: 95 + 15,
        to: 145,
        summary: 'second is 50m 0s behind with backups of prod.',
      },
    ],
  },
  {
    title: 'are raised when one repository lost all that it held',
    minutes: 120,
    series: { ...wellCluster, [ofRepository.newest('second')]: between(60, 100, undefined, taken) },
    raised: [
      {
        alert: 'EtcdBackupRepositoryBehind',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        from: 60 + 15,
        to: 95,
        summary: 'second is 1h 10m 0s behind with backups of prod.',
      },
    ],
  },
  {
    title: 'give a repository that is new and empty the time of two runs',
    minutes: 200,
    series: {
      ...wellCluster,
      ...unknown(0, 60, 'second'),
      [ofRepository.removed('second')]: between(0, 60, undefined, always(0)),
      [ofRepository.newest('second')]: between(0, 75, undefined, taken),
    },
    raised: [],
  },
  {
    title: 'are raised when a repository cannot be listed, and say it more loudly when none can',
    minutes: 320,
    series: {
      ...wellCluster,
      [ofRepository.listed('primary')]: heldUp(60, 300, listed),
      [ofRepository.listed('second')]: heldUp(30, 300, listed),
    },
    raised: [
      {
        alert: 'EtcdBackupRepositoryNotListed',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        from: 25 + 60 + 5 + 5,
        to: 295,
        summary: (minute) => `second could not be listed for ${humanize(minute - 25)}.`,
      },
      {
        alert: 'EtcdBackupRepositoryNotListed',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'primary' },
        from: 55 + 60 + 5 + 5,
        to: 295,
        summary: (minute) => `primary could not be listed for ${humanize(minute - 55)}.`,
      },
      {
        alert: 'EtcdBackupRepositoryNotListed',
        severity: 'critical',
        labels: { cluster: 'prod' },
        from: 55 + 180 + 5 + 5,
        to: 295,
        summary: 'No repository of prod could be listed for 3h 10m 0s.',
      },
    ],
  },
  {
    title: 'do not say that a repository lost its backups which a restarted agent could not list yet',
    minutes: 120,
    series: { ...wellCluster, [processStart]: between(0, 60, 0, always(60 * 60)), ...unknown(60, 120, 'second') },
    raised: [],
  },
  {
    title: 'are raised when a repository could never be listed since the agent started',
    minutes: 120,
    series: { ...wellCluster, [processStart]: always(10 * 60), ...unknown(0, 100, 'second') },
    raised: [
      {
        alert: 'EtcdBackupRepositoryNotListed',
        severity: 'warning',
        labels: { cluster: 'prod', repository: 'second' },
        from: 10 + 60 + 5 + 5,
        to: 95,
        summary: 'second could not be listed for 1h 10m 0s.',
      },
    ],
  },
  {
    title: 'ask no listing of a cluster of which only runs tell, each when it ends',
    minutes: 300,
    series: {
      ...wellCluster,
      ...Object.fromEntries(
        Object.keys(rhythm).map((job) => [ofJob.running(job as keyof typeof rhythm), always(undefined)]),
      ),
      [ofRepository.listed('primary')]: (minute) => 60 * 200 * Math.floor(minute / 200),
      [ofRepository.listed('second')]: (minute) => 60 * 200 * Math.floor(minute / 200),
    },
    raised: [],
  },
];
