import type { Story } from '../support/story.ts';
import { always, between, cronJobSeries, heldUp, type Timelines } from '../support/timelines.ts';
import { lastRun, wellCluster } from '../support/well-cluster.ts';

/** A CronJob that starts every hour; each run takes five minutes. */
const hourly = { every: 60, takes: 5 };
const cronJob: Timelines = {
  [cronJobSeries('kube_cronjob_created')]: always(0),
  [cronJobSeries('kube_cronjob_spec_suspend')]: always(0),
  [cronJobSeries('kube_cronjob_status_last_successful_time')]: lastRun(hourly),
  [cronJobSeries('kube_cronjob_status_last_schedule_time')]: (minute) => 3600 * Math.floor(minute / 60),
  [cronJobSeries('kube_cronjob_next_schedule_time')]: (minute) => 3600 * (Math.floor(minute / 60) + 1),
};

/** kube-state-metrics knows nothing of a cluster. */
const cronJobLabels = { namespace: 'backups', cronjob: 'prod-etcd-warden-backup' };

/** What kube-state-metrics sees of CronJobs, from outside. */
export const cronJobStories: readonly Story[] = [
  {
    title: 'are raised when a CronJob has not succeeded for two intervals',
    minutes: 270,
    series: {
      ...wellCluster,
      ...cronJob,
      [cronJobSeries('kube_cronjob_status_last_successful_time')]: heldUp(60, 245, lastRun(hourly)),
    },
    raised: [
      {
        alert: 'EtcdWardenCronJobNotSucceeding',
        severity: 'warning',
        labels: cronJobLabels,
        from: 5 + 2 * 60 + 60 + 5 + 15,
        to: 240,
        summary: 'CronJob backups/prod-etcd-warden-backup has not succeeded for 3h 20m 0s.',
      },
    ],
  },
  {
    title: 'are raised when a CronJob has never succeeded since it was made',
    minutes: 250,
    series: {
      ...wellCluster,
      ...cronJob,
      [cronJobSeries('kube_cronjob_status_last_successful_time')]: between(0, 245, undefined, lastRun(hourly)),
    },
    raised: [
      {
        alert: 'EtcdWardenCronJobNotSucceeding',
        severity: 'warning',
        labels: cronJobLabels,
        from: 2 * 60 + 60 + 5 + 15,
        to: 240,
        summary: 'CronJob backups/prod-etcd-warden-backup has not succeeded for 3h 20m 0s.',
      },
    ],
  },
  {
    title: 'leave a CronJob alone that is suspended, and one of somebody else',
    minutes: 300,
    series: {
      ...wellCluster,
      ...cronJob,
      [cronJobSeries('kube_cronjob_spec_suspend')]: between(60, 300, 1, always(0)),
      [cronJobSeries('kube_cronjob_next_schedule_time')]: between(60, 300, undefined, always(3600)),
      [cronJobSeries('kube_cronjob_status_last_successful_time')]: heldUp(60, 300, lastRun(hourly)),
      ...Object.fromEntries(
        Object.entries(cronJob).map(([series, timeline]) => [
          series.replace(cronJobLabels.cronjob, 'nightly-report'),
          series.includes('successful') ? always(undefined) : timeline,
        ]),
      ),
    },
    raised: [],
  },
];
