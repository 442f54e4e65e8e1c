/** Minutes between two samples, and between two evaluations. Prometheus looks back no further than that for a sample. */
export const step = 5;

/** The value of a series at a minute; undefined where it is not served. */
export type Timeline = (minute: number) => number | undefined;

/** By series, as Prometheus writes them: name and labels. */
export type Timelines = Readonly<Record<string, Timeline>>;

/** A series that an agent of the cluster `prod` serves, scraped with `honor_labels`. */
export function agentSeries(name: string, labels: Readonly<Record<string, string>> = {}): string {
  return writeSeries(name, { cluster: 'prod', job: 'etcd-warden', instance: '10.0.0.1:9427', ...labels });
}

/** A series that kube-state-metrics serves of a CronJob for backups. */
export function cronJobSeries(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const cronJob = { namespace: 'backups', cronjob: 'prod-etcd-warden-backup' };
  return writeSeries(name, { ...cronJob, job: 'kube-state-metrics', instance: '10.0.0.2:8080', ...labels });
}

function writeSeries(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}

export const always =
  (value: number | undefined): Timeline =>
  () =>
    value;

/** `value` from a minute until right before another one, else as it would be. */
export const between =
  (from: number, until: number, value: number | undefined, otherwise: Timeline): Timeline =>
  (minute) =>
    minute >= from && minute < until ? value : otherwise(minute);

/** Stays as it was from a minute until right before another one, then goes on as if nothing had happened. */
export const heldUp =
  (from: number, until: number, timeline: Timeline): Timeline =>
  (minute) =>
    timeline(minute >= from && minute < until ? from - step : minute);

/** Everything is served only where `isServed` says so. */
export function servedWhere(isServed: (minute: number) => boolean, timelines: Timelines): Timelines {
  return mapTimelines(timelines, (timeline) => (minute) => (isServed(minute) ? timeline(minute) : undefined));
}

/** The same, told by another instance. */
export function toldBy(instance: string, timelines: Timelines): Timelines {
  return Object.fromEntries(
    Object.entries(timelines).map(([series, timeline]) => [
      series.replace(/instance="[^"]*"/, `instance="${instance}"`),
      timeline,
    ]),
  );
}

function mapTimelines(timelines: Timelines, map: (timeline: Timeline) => Timeline): Timelines {
  return Object.fromEntries(Object.entries(timelines).map(([series, timeline]) => [series, map(timeline)]));
}
