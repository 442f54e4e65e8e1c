/** Jobs that are measured. */
export type JobName = 'backup' | 'verify' | 'drill' | 'prune' | 'defrag';

/** How a job ended: `succeeded`, or the class of its error by exit status. A closed set: it is the value of a label. */
export type JobResult = 'succeeded' | 'failed' | 'usage' | 'damage' | 'refused' | 'partly' | 'busy' | 'interrupted';

/**
 * Why there was no run for a time, or none that did anything. running: the same job ran. served: another run did it. busy:
 * another process does it. nothing: there is nothing to work on. merged: the run for a later time stands for it. late: it was
 * noticed too late for a job that skips. missed: it was passed over, and the job skips what it missed.
 */
export type SkipReason = 'running' | 'served' | 'busy' | 'nothing' | 'merged' | 'late' | 'missed';

/** Told what happened, in the words of those who did it; what becomes of it is the adapter's business. Never throws. */
export interface Metrics {
  /** When a job comes due next and how far its runs lie apart at most, in seconds; undefined: it is not scheduled. */
  jobScheduled(
    job: JobName,
    schedule: { readonly nextRunAt: Date; readonly intervalSeconds: number } | undefined,
  ): void;
  jobStarted(job: JobName): void;
  jobEnded(job: JobName, run: { readonly result: JobResult; readonly seconds: number; readonly at: Date }): void;
  jobSkipped(job: JobName, reason: SkipReason): void;
  backupCommitted(backup: BackupMeasures): void;
  /** Of one member; undefined bytes: the end was not seen. */
  memberDefragmented(
    member: string,
    run: { readonly seconds: number; readonly reclaimedBytes: number | undefined },
  ): void;
  backupsRemoved(repository: string, count: number): void;
  /** The repositories of the configuration in force: what is known of any other disappears. */
  repositoriesConfigured(names: readonly string[]): void;
  /** Replaces what was known of the repository. */
  repositoryListed(repository: string, facts: RepositoryFacts): void;
  /** Replaces what was known of every member: one that is no longer listed disappears. */
  membersSeen(members: readonly MemberMeasures[]): void;
  /** Replaces what was known of certificates; there may be several of a use. */
  certificatesRead(certificates: readonly { readonly use: CertificateUse; readonly expiresAt: Date }[]): void;
  /** A change of the clock that no passing of time explains. */
  clockJumped(): void;
  configReloaded(outcome: { readonly ok: boolean; readonly at: Date }): void;
}

export type CertificateUse = 'etcd-ca' | 'etcd-client' | 'store-ca';

export interface BackupMeasures {
  readonly snapshotBytes: number;
  readonly storedBytes: number;
  /** How long the stream pinned pages of etcd. */
  readonly streamHeldSeconds: number;
  readonly stageSeconds: ReadonlyMap<BackupStage, number>;
}

/** choose: members are asked. stream: bytes flow. compare: with the live members. commit: objects become visible. */
export type BackupStage = 'choose' | 'stream' | 'compare' | 'commit';

/** What a listing of a repository told. Times are undefined where there is no such backup. */
export interface RepositoryFacts {
  readonly listedAt: Date;
  readonly newestBackupAt: Date | undefined;
  /** When the newest backup that a read-back proved whole was taken; not when it was read. */
  readonly newestVerifiedAt: Date | undefined;
  readonly newestDrilledAt: Date | undefined;
  readonly backups: Readonly<Record<'complete' | 'incomplete' | 'damaged' | 'held', number>>;
  readonly storedBytes: number;
}

/** undefined: not known. */
export interface MemberMeasures {
  readonly name: string;
  readonly reachable: boolean;
  readonly isLeader: boolean;
  readonly dbSizeBytes: number | undefined;
  readonly inUseBytes: number | undefined;
  /** undefined also where the member has no quota. */
  readonly quotaBytes: number | undefined;
  readonly alarms: readonly ('NOSPACE' | 'CORRUPT')[];
}
