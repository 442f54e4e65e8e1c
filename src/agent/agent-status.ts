import type { JobName } from '../ports/metrics.ts';

/**
 * Everything that a running agent can say of itself and of its cluster at one moment: what `/api/status` serves as JSON and
 * the status page shows. Texts may hold names and messages of others.
 */
export interface AgentStatus {
  readonly cluster: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly now: Date;
  readonly verdict: Verdict;
  /** What is wrong now, worst first. */
  readonly problems: readonly Problem[];
  readonly repositories: readonly RepositoryState[];
  readonly members: MembersState;
  /** What happened in the last days, newest first. */
  readonly events: readonly AgentEvent[];
  readonly running: readonly RunningJob[];
  /** In the order in which they come due; empty for an agent that only watches. */
  readonly schedule: readonly ScheduledJob[];
  /** The newest failure of each job, newest first. */
  readonly lastErrors: readonly JobFailure[];
  /** undefined where the configuration that was read last is in force. */
  readonly refusedReload: RefusedReload | undefined;
}

/** A configuration that was read and is not in force; the one before it is. */
export interface RefusedReload {
  readonly at: Date;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * safe: every repository holds a backup that is recent enough, and etcd is well. warning: safe now, but something needs
 * somebody. danger: there is no recent backup, or etcd is in trouble. unknown: nothing was looked at yet.
 */
export interface Verdict {
  readonly level: 'safe' | 'warning' | 'danger' | 'unknown';
  /** One sentence. */
  readonly sentence: string;
}

export interface Problem {
  readonly level: 'warning' | 'danger';
  readonly text: string;
  /** The operator's next step; empty where the text says it. */
  readonly hint: string;
}

/** Why looking failed the last time. */
export interface LookFault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** When the first of the looks failed that have failed in a row. */
  readonly since: Date;
}

export interface RepositoryState {
  readonly name: string;
  /** `s3://bucket/prefix` or a directory. */
  readonly location: string;
  /** When it was last listed with success. */
  readonly listedAt: Date | undefined;
  /** Why the last listing failed. */
  readonly error: LookFault | undefined;
  /** Several listings must have failed since: how it is now is not known. */
  readonly isOutdated: boolean;
  readonly newest: BackupState | undefined;
  /** The newest one that a read-back proved whole. */
  readonly newestVerified: BackupState | undefined;
  readonly newestDrilled: BackupState | undefined;
  /** How old the newest backup may be by the schedule, in seconds; undefined where nothing is scheduled. */
  readonly expectedAgeSeconds: number | undefined;
  readonly backups: Readonly<Record<'complete' | 'incomplete' | 'damaged' | 'held', number>>;
  readonly storedBytes: number;
}

export interface BackupState {
  readonly id: string;
  readonly takenAt: Date;
  readonly revision: string;
  readonly storedBytes: number;
  readonly verifiedAt: Date | undefined;
}

export interface MembersState {
  readonly seenAt: Date | undefined;
  /** Why the members could not be looked at. */
  readonly error: LookFault | undefined;
  /** Several looks must have failed since: how they are now is not known. */
  readonly isOutdated: boolean;
  readonly members: readonly MemberState[];
}

export interface MemberState {
  readonly name: string;
  readonly role: 'leader' | 'follower' | 'learner' | 'unstarted' | 'unreachable';
  readonly version: string | undefined;
  readonly dbSizeBytes: number | undefined;
  readonly inUseBytes: number | undefined;
  /** undefined: unlimited or not known; quotaText says which. */
  readonly quotaBytes: number | undefined;
  /** `8.00 GiB (status)`, `unlimited`, `not known: …`. */
  readonly quotaText: string;
  readonly alarms: readonly string[];
  /** Why it cannot be reached, or answers from beside the cluster. */
  readonly trouble: string | undefined;
}

export interface AgentEvent {
  readonly at: Date;
  readonly kind: 'backup' | 'verified' | 'drilled' | 'damaged' | 'pruned' | 'defragmented' | 'failed';
  /** undefined for what concerns no repository. */
  readonly repository: string | undefined;
  /** `20261124T140000Z-r228678-k3f9x2qa`, or what failed and why. */
  readonly text: string;
}

export interface RunningJob {
  readonly job: JobName;
  readonly since: Date;
  /** `streaming from m2`; empty before the first word of it. */
  readonly stage: string;
  readonly doneBytes: number | undefined;
  readonly totalBytes: number | undefined;
}

export interface ScheduledJob {
  readonly job: JobName;
  readonly nextAt: Date;
  readonly cron: string;
  readonly timeZone: string;
}

export interface JobFailure {
  readonly job: JobName;
  readonly at: Date;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** How often in a row it failed so. */
  readonly times: number;
}
