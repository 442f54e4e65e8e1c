import type { JobName } from './metrics.ts';

/** What the events of `Metrics` came to, for those who hand it on. */
export interface MetricsExport {
  /** For `/metrics`: in OpenMetrics where the Accept header prefers it, else in Prometheus' text format. */
  render(accept: string | undefined): Promise<Exposition>;
  /**
   * What a one-shot run leaves behind: only what stays true once the process is gone. Counters do not: they begin anew with
   * every process. Empty where no job ended and no repository was listed.
   */
  runFacts(): Promise<readonly FactGroup[]>;
}

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** What a process knows of one job's last run, or of one repository. */
export type FactGroup = JobFacts | RepositoryFactsGroup;

interface Facts {
  readonly cluster: string;
  readonly families: readonly Family[];
}

/** Families that are not given stay as they were: a run that failed says nothing of the last one that succeeded. */
export interface JobFacts extends Facts {
  readonly about: 'job';
  readonly job: JobName;
}

/** Families that are not given are no longer so: a listing knows everything of its repository. */
export interface RepositoryFactsGroup extends Facts {
  readonly about: 'repository';
  readonly repository: string;
}

/** The series of one name. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** That of the family, but for the `_bucket`, `_sum` and `_count` of a histogram. */
  readonly name: string;
  /** The cluster included. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
