import type { Story } from '../support/story.ts';
import { always, between, servedWhere, type Timeline, type Timelines, toldBy } from '../support/timelines.ts';
import {
  build,
  day,
  isRunning,
  jobs,
  lastRun,
  newestBackup,
  newestProved,
  ofJob,
  ofRepository,
  processStart,
  type Regular,
  repositories,
  rhythm,
  wellCluster,
} from '../support/well-cluster.ts';

/** An install at minute 0, with a rhythm of its own: nothing is known of a run before the first one has ended. */
function begin(backup: Regular, verify: Regular): Timelines {
  const from =
    (minute: number, timeline: Timeline): Timeline =>
    (now) =>
      now < minute ? undefined : timeline(now);
  const firstTaken = backup.every + backup.takes;
  /** The end of the first run that finds a backup. */
  const firstProved = ({ every, takes }: Regular): number => every * Math.ceil(firstTaken / every) + takes;
  return {
    ...wellCluster,
    ...Object.fromEntries(
      jobs.flatMap((job): [string, Timeline][] => {
        const regular = { ...rhythm, backup, verify }[job];
        const firstEnd = regular.every + regular.takes;
        return [
          [ofJob.interval(job), always(60 * regular.every)],
          [ofJob.running(job), (minute) => (minute < regular.every ? 0 : (isRunning(regular)(minute) ?? 0))],
          [ofJob.lastRun(job), from(firstEnd, lastRun(regular))],
          [ofJob.lastSuccess(job), from(firstEnd, lastRun(regular))],
        ];
      }),
    ),
    ...Object.fromEntries(
      repositories.flatMap((repository): [string, Timeline][] => [
        [ofRepository.newest(repository), from(firstTaken, newestBackup(backup))],
        [ofRepository.verified(repository), from(firstProved(verify), newestProved(verify, backup))],
        [ofRepository.drilled(repository), from(firstProved(rhythm.drill), newestProved(rhythm.drill, backup))],
      ]),
    ),
  };
}

/** A `run` without schedules, as it begins on empty repositories: it tells nothing of jobs but that they do not run. */
const freshExporter: Timelines = Object.fromEntries(
  Object.entries(wellCluster).filter(([series]) =>
    /^(etcd_warden_(build_info|job_running|repository_last_listed_\w+|prune_removed_total)|process_start_\w+)\{/.test(
      series,
    ),
  ),
);

/** No repository lists a backup before that minute. */
const begunAt = (minute: number): Timelines =>
  Object.fromEntries(
    repositories.flatMap((repository) =>
      [ofRepository.newest, ofRepository.verified, ofRepository.drilled].map((seriesOf) => {
        const series = seriesOf(repository);
        return [series, between(0, minute, undefined, wellCluster[series] ?? always(undefined))];
      }),
    ),
  );

const neverBegun = begunAt(Infinity);

const silent = { alert: 'EtcdWardenSilent', severity: 'critical', labels: { cluster: 'prod' } } as const;

/** Where nothing is wrong no alert may be raised, and where nothing is known one must be. */
export const silenceStories: readonly Story[] = [
  { title: 'are silent while all is well', minutes: 300, series: wellCluster, raised: [] },
  {
    title: 'are silent on a fresh install before the first backup is due and after it',
    minutes: 320,
    series: begin({ every: 240, takes: 5 }, { every: 240, takes: 10 }),
    raised: [],
  },
  {
    title: 'are silent on a fresh install where the first backup comes as late as it may: an hour of jitter',
    minutes: 100,
    series: { ...wellCluster, ...begunAt(10 + 60 + 5) },
    raised: [],
  },
  {
    title: 'are silent while runs take almost as long as their interval',
    minutes: 400,
    series: begin({ every: 60, takes: 55 }, { every: 180, takes: 170 }),
    raised: [],
  },
  {
    title: 'are raised on a fresh install where the first backup was due and did not come',
    minutes: 120,
    series: { ...wellCluster, ...neverBegun },
    raised: [
      {
        alert: 'EtcdBackupMissing',
        severity: 'critical',
        labels: { cluster: 'prod' },
        from: 10 + 60 + 5 + 15,
        to: 120,
        summary: 'There is no backup of prod at all.',
      },
    ],
  },
  {
    title: 'give an exporter that knows no schedule a day and an hour for the first backup',
    minutes: 27 * 60,
    series: freshExporter,
    raised: [
      {
        alert: 'EtcdBackupMissing',
        severity: 'critical',
        labels: { cluster: 'prod' },
        from: 25 * 60 + 5 + 15,
        to: 27 * 60,
        summary: 'There is no backup of prod at all.',
      },
    ],
  },
  {
    title: 'are silent when the agent is restarted',
    minutes: 200,
    series: {
      ...servedWhere((minute) => minute < 60 || minute >= 65, wellCluster),
      ...Object.fromEntries(
        jobs.flatMap((job): [string, Timeline][] => {
          const isKnown = (minute: number): boolean => minute < 60 || minute >= 65 + rhythm[job].every + 5;
          const after: Timeline = (minute) => (isKnown(minute) ? lastRun(rhythm[job])(minute) : undefined);
          return [
            [ofJob.lastRun(job), after],
            [ofJob.lastSuccess(job), after],
          ];
        }),
      ),
      [processStart]: (minute) => (minute < 60 ? 0 : minute < 65 ? undefined : 65 * 60),
    },
    raised: [],
  },
  {
    title: 'do not take it for a loss that a restarted agent cannot list its repositories yet',
    minutes: 110,
    series: {
      ...servedWhere((minute) => minute < 60 || minute >= 65, wellCluster),
      [processStart]: (minute) => (minute < 60 ? 0 : minute < 65 ? undefined : 65 * 60),
      ...Object.fromEntries(
        repositories.flatMap((repository): [string, Timeline][] =>
          [ofRepository.listed, ofRepository.newest, ofRepository.verified, ofRepository.drilled].map((seriesOf) => {
            const series = seriesOf(repository);
            return [series, (minute) => (minute < 60 ? wellCluster[series]?.(minute) : undefined)];
          }),
        ),
      ),
    },
    raised: [],
  },
  {
    title: 'are raised when everything vanishes, until it is back',
    minutes: 220,
    series: servedWhere((minute) => minute < 60 || minute >= 200, wellCluster),
    raised: [{ ...silent, from: 60 + 30, to: 195, summary: 'Nothing is heard of the backups of prod.' }],
  },
  {
    title: 'are still raised after a long weekend in which everything was gone',
    minutes: 4 * day,
    series: { [build]: between(60, Infinity, undefined, always(1)) },
    raised: [{ ...silent, from: 60 + 30, to: 4 * day, summary: 'Nothing is heard of the backups of prod.' }],
  },
  {
    title: 'do not mind that one of two agents is gone',
    minutes: 200,
    series: {
      ...wellCluster,
      ...toldBy(
        '10.0.0.9:9427',
        servedWhere((minute) => minute < 60, wellCluster),
      ),
    },
    raised: [],
  },
  {
    title: 'follow from one version to the next',
    minutes: 150,
    series: {
      ...wellCluster,
      [build]: (minute) => (minute < 60 ? 1 : undefined),
      [build.replace('1.2.3', '1.2.4')]: (minute) => (minute < 60 ? undefined : 1),
    },
    raised: [],
  },
];
