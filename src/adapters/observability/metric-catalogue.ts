import {
  alarm,
  job,
  member,
  reason,
  repository,
  result,
  sizeStage,
  stage,
  state,
  use,
  version,
} from './label-values.ts';
import { type CataloguedFamily, counter, gauge, histogram } from './metric-family.ts';

/** From a second, which is an idle cluster, to the six hours of a large one behind a slow line. */
const jobBuckets = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];
const stageBuckets = [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800];
/** Up to the default of snapshot.maxStreamHold. */
const heldBuckets = [0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800];
const defragBuckets = [0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

/** Every metric, in the order in which it is served. docs/metrics.md is generated from this table. */
export const catalogue = {
  buildInfo: gauge(
    'etcd_warden_build_info',
    'Always 1; the label tells the version.',
    { version },
    { handedOnWith: 'job' },
  ),

  jobRuns: counter(
    'etcd_warden_job_runs_total',
    'Runs of the job that ended, by how they ended, those among them that had nothing to do.',
    { job, result },
  ),
  jobSkipped: counter(
    'etcd_warden_job_skipped_total',
    'Times for which the job did no work, by reason; several that were passed over at once count as one. What a run found out that had begun (`nothing`, `busy`, mostly `served`) is counted among the runs too.',
    { job, reason },
  ),
  jobDuration: histogram(
    'etcd_warden_job_duration_seconds',
    'How long runs of the job took, in seconds, whatever came of them, also of those that had nothing to do.',
    { job },
    jobBuckets,
  ),
  jobRunning: gauge('etcd_warden_job_running', '1 while the job runs, else 0.', { job }),
  jobLastRun: gauge(
    'etcd_warden_job_last_run_timestamp_seconds',
    'When the last run of the job ended, in seconds since 1970.',
    { job },
    { handedOnWith: 'job' },
  ),
  jobLastRunSuccessful: gauge(
    'etcd_warden_job_last_run_successful',
    '1 if the last run of the job succeeded, else 0.',
    { job },
    { handedOnWith: 'job' },
  ),
  jobLastRunDuration: gauge(
    'etcd_warden_job_last_run_duration_seconds',
    'How long the last run of the job took, in seconds.',
    { job },
    { handedOnWith: 'job' },
  ),
  jobLastSuccess: gauge(
    'etcd_warden_job_last_success_timestamp_seconds',
    'When the last run of the job that succeeded ended, in seconds since 1970.',
    { job },
    { handedOnWith: 'job' },
  ),
  jobNextRun: gauge(
    'etcd_warden_job_next_run_timestamp_seconds',
    'When the job comes due next, in seconds since 1970. Absent: it is not scheduled.',
    { job },
  ),
  jobInterval: gauge(
    'etcd_warden_job_interval_seconds',
    'How far the scheduled runs of the job lie apart at most, in seconds. Absent: it is not scheduled.',
    { job },
  ),

  backupStageDuration: histogram(
    'etcd_warden_backup_stage_duration_seconds',
    'How long the stages of backups that were committed took, in seconds.',
    { stage },
    stageBuckets,
  ),
  snapshotSize: gauge(
    'etcd_warden_snapshot_size_bytes',
    'Size of the last backup that was committed, in bytes.',
    { stage: sizeStage },
    { handedOnWith: 'backup' },
  ),
  snapshotStreamHeld: histogram(
    'etcd_warden_snapshot_stream_held_seconds',
    'How long a snapshot stream pinned pages of etcd, in seconds.',
    {},
    heldBuckets,
  ),

  repositoryNewestBackup: gauge(
    'etcd_warden_repository_newest_backup_timestamp_seconds',
    'When the newest complete backup was taken, in seconds since 1970, as the repository lists it. Absent: there is none.',
    { repository },
    { handedOnWith: 'repository' },
  ),
  repositoryNewestVerified: gauge(
    'etcd_warden_repository_newest_verified_timestamp_seconds',
    'When the newest backup that a read-back proved whole was taken, in seconds since 1970. Absent: there is none.',
    { repository },
    { handedOnWith: 'repository' },
  ),
  repositoryNewestDrilled: gauge(
    'etcd_warden_repository_newest_drilled_timestamp_seconds',
    'When the newest backup that a drill restored was taken, in seconds since 1970. Absent: there is none.',
    { repository },
    { handedOnWith: 'repository' },
  ),
  repositoryBackups: gauge(
    'etcd_warden_repository_backups',
    'Backups that the repository lists, by state; one that is held is counted by its other state as well.',
    { repository, state },
    { handedOnWith: 'repository' },
  ),
  repositoryStored: gauge(
    'etcd_warden_repository_stored_bytes',
    'Size of everything that the repository lists, in bytes.',
    { repository },
    { handedOnWith: 'repository' },
  ),
  repositoryLastListed: gauge(
    'etcd_warden_repository_last_listed_timestamp_seconds',
    'When the repository was last listed with success, in seconds since 1970: what the other figures of it are as of.',
    { repository },
    { handedOnWith: 'repository' },
  ),
  pruneRemoved: counter('etcd_warden_prune_removed_total', 'Backups that retention removed.', { repository }),

  memberDbSize: gauge(
    'etcd_warden_member_db_size_bytes',
    'Size of the database file of the member, in bytes. Absent: not known.',
    { member },
  ),
  memberDbInUse: gauge(
    'etcd_warden_member_db_in_use_bytes',
    'Bytes of the database file that are in use. Absent: not known.',
    { member },
  ),
  memberQuota: gauge(
    'etcd_warden_member_quota_bytes',
    'Backend quota of the member, in bytes. Absent: it has none, or it is not known.',
    { member },
  ),
  memberReachable: gauge('etcd_warden_member_reachable', '1 if the member answered, else 0.', { member }),
  memberIsLeader: gauge('etcd_warden_member_is_leader', '1 if the member leads, else 0.', { member }),
  memberAlarm: gauge('etcd_warden_member_alarm', '1 while the member has raised the alarm, else 0.', { member, alarm }),
  defragReclaimed: counter(
    'etcd_warden_defrag_reclaimed_bytes_total',
    'Bytes by which defragmentation shrank the database file of the member.',
    { member },
  ),
  defragDuration: histogram(
    'etcd_warden_defrag_duration_seconds',
    'How long defragmentations of the member took, in seconds: it serves nobody meanwhile.',
    { member },
    defragBuckets,
  ),

  drillDuration: histogram(
    'etcd_warden_drill_duration_seconds',
    'How long drills that passed took, in seconds: a measured recovery time.',
    {},
    jobBuckets,
  ),

  certificateExpiry: gauge(
    'etcd_warden_certificate_expiry_timestamp_seconds',
    'When the first certificate of this use expires, in seconds since 1970.',
    { use },
  ),
  clockJumps: counter('etcd_warden_clock_jumps_total', 'Changes of the clock that no passing of time explains.', {}),
  configReloadSuccessful: gauge(
    'etcd_warden_config_last_reload_successful',
    '1 if the configuration that was read last is in force, 0 if it was refused.',
    {},
  ),
  configReloadTime: gauge(
    'etcd_warden_config_last_reload_success_timestamp_seconds',
    'When the configuration in force was read, in seconds since 1970.',
    {},
  ),

  processCpu: counter('process_cpu_seconds_total', 'CPU time of the process, user and system, in seconds.', {}),
  processMemory: gauge('process_resident_memory_bytes', 'Resident memory of the process, in bytes.', {}),
  processStart: gauge('process_start_time_seconds', 'When the process was started, in seconds since 1970.', {}),
  processOpenFds: gauge('process_open_fds', 'Open file descriptors of the process.', {}),
  processMaxFds: gauge('process_max_fds', 'File descriptors that the process may open.', {}),
} as const satisfies Record<string, CataloguedFamily>;
