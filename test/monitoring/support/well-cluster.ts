import { agentSeries, always, type Timeline, type Timelines } from './timelines.ts';

/** A job that begins every so many minutes and takes so many, in minutes. */
export interface Regular {
  readonly every: number;
  readonly takes: number;
}

export const day = 24 * 60;

/** Short intervals keep the stories short: every limit comes from them. */
export const rhythm = {
  backup: { every: 10, takes: 5 },
  verify: { every: 30, takes: 5 },
  drill: { every: 60, takes: 5 },
  prune: { every: 10, takes: 5 },
  defrag: { every: 10, takes: 5 },
} as const satisfies Record<string, Regular>;

export type Job = keyof typeof rhythm;
export const jobs = Object.keys(rhythm) as Job[];
export const repositories = ['primary', 'second'] as const;
const members = ['m1', 'm2', 'm3'] as const;

/** When the run began that ended last. */
const lastBegan = ({ every, takes }: Regular, minute: number): number => every * Math.floor((minute - takes) / every);

/** Of a backup that is taken at every begin of a run and listed at its end. */
export const newestBackup =
  (backup: Regular): Timeline =>
  (minute) =>
    60 * lastBegan(backup, minute);

/** Of the newest backup that was there when a run of verify or drill began. */
export const newestProved =
  (proof: Regular, backup: Regular): Timeline =>
  (minute) =>
    newestBackup(backup)(lastBegan(proof, minute));

export const lastRun =
  (regular: Regular): Timeline =>
  (minute) =>
    60 * (lastBegan(regular, minute) + regular.takes);

export const runsSoFar =
  ({ every, takes }: Regular): Timeline =>
  (minute) =>
    Math.max(0, Math.floor((minute - takes) / every) + 1);

export const isRunning =
  ({ every, takes }: Regular): Timeline =>
  (minute) =>
    minute % every < takes ? 1 : 0;

/** The series of a job, by what they tell. */
export const ofJob = {
  interval: (job: Job) => agentSeries('etcd_warden_job_interval_seconds', { job }),
  running: (job: Job) => agentSeries('etcd_warden_job_running', { job }),
  lastRun: (job: Job) => agentSeries('etcd_warden_job_last_run_timestamp_seconds', { job }),
  lastSuccess: (job: Job) => agentSeries('etcd_warden_job_last_success_timestamp_seconds', { job }),
  runs: (job: Job, result: string) => agentSeries('etcd_warden_job_runs_total', { job, result }),
  skipped: (job: Job, reason: string) => agentSeries('etcd_warden_job_skipped_total', { job, reason }),
};

/** The series of a repository, by what they tell. */
export const ofRepository = {
  newest: (repository: string) => agentSeries('etcd_warden_repository_newest_backup_timestamp_seconds', { repository }),
  verified: (repository: string) =>
    agentSeries('etcd_warden_repository_newest_verified_timestamp_seconds', { repository }),
  drilled: (repository: string) =>
    agentSeries('etcd_warden_repository_newest_drilled_timestamp_seconds', { repository }),
  damaged: (repository: string) => agentSeries('etcd_warden_repository_backups', { repository, state: 'damaged' }),
  listed: (repository: string) => agentSeries('etcd_warden_repository_last_listed_timestamp_seconds', { repository }),
  removed: (repository: string) => agentSeries('etcd_warden_prune_removed_total', { repository }),
};

export const ofMember = {
  size: (member: string) => agentSeries('etcd_warden_member_db_size_bytes', { member }),
  quota: (member: string) => agentSeries('etcd_warden_member_quota_bytes', { member }),
  reachable: (member: string) => agentSeries('etcd_warden_member_reachable', { member }),
  alarm: (member: string, alarm: string) => agentSeries('etcd_warden_member_alarm', { member, alarm }),
};

export const build = agentSeries('etcd_warden_build_info', { version: '1.2.3' });
export const processStart = agentSeries('process_start_time_seconds');
export const reloadSuccessful = agentSeries('etcd_warden_config_last_reload_successful');
export const certificate = (use: string): string =>
  agentSeries('etcd_warden_certificate_expiry_timestamp_seconds', { use });

/** What the agent tells of its jobs, all of which succeed at regular times, the first in the hour before minute 0. */
const jobsGoWell: Timelines = Object.fromEntries(
  jobs.flatMap((job): [string, Timeline][] => [
    [ofJob.interval(job), always(60 * rhythm[job].every)],
    [ofJob.running(job), isRunning(rhythm[job])],
    [ofJob.lastRun(job), lastRun(rhythm[job])],
    [ofJob.lastSuccess(job), lastRun(rhythm[job])],
    [ofJob.runs(job, 'succeeded'), runsSoFar(rhythm[job])],
    [ofJob.runs(job, 'failed'), always(0)],
    [ofJob.runs(job, 'busy'), always(0)],
    [ofJob.skipped(job, 'busy'), always(0)],
  ]),
);

const now: Timeline = (minute) => 60 * minute;

const repositoriesGoWell: Timelines = Object.fromEntries(
  repositories.flatMap((repository): [string, Timeline][] => [
    [ofRepository.listed(repository), now],
    [ofRepository.removed(repository), always(0)],
    [ofRepository.newest(repository), newestBackup(rhythm.backup)],
    [ofRepository.verified(repository), newestProved(rhythm.verify, rhythm.backup)],
    [ofRepository.drilled(repository), newestProved(rhythm.drill, rhythm.backup)],
    [ofRepository.damaged(repository), always(0)],
  ]),
);

const membersGoWell: Timelines = Object.fromEntries(
  members.flatMap((member): [string, Timeline][] => [
    [ofMember.size(member), always(400)],
    [ofMember.quota(member), always(1000)],
    [ofMember.reachable(member), always(1)],
    [ofMember.alarm(member, 'NOSPACE'), always(0)],
    [ofMember.alarm(member, 'CORRUPT'), always(0)],
  ]),
);

/** All that a daemon of a healthy cluster with two repositories tells, from long ago to eternity. */
export const wellCluster: Timelines = {
  [build]: always(1),
  [processStart]: always(0),
  [reloadSuccessful]: always(1),
  [certificate('etcd-ca')]: always(400 * day * 60),
  [certificate('etcd-client')]: always(90 * day * 60),
  [certificate('store-ca')]: always(400 * day * 60),
  ...jobsGoWell,
  ...repositoriesGoWell,
  ...membersGoWell,
};
