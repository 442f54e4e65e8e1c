/**
 * What the agent needs of etcd. Ids and revisions are bigint (64 bit), sizes are bytes as number.
 * Every call takes an AbortSignal, has a deadline of its own, is sent exactly once (nothing below retries), and rejects
 * with a WardenError whose code starts with `etcd-` or `stream-`; `secret-unreadable` where a certificate or password file
 * cannot be read, and `interrupted` once the signal is aborted (or the WardenError that it was aborted with).
 */
export interface Etcd extends AsyncDisposable {
  /**
   * Asks the configured endpoints, in order, for the member list until one answers. With `discovery: static` the
   * endpoints themselves are the members. Unstarted members (no client URL) are listed with `endpoint: undefined`.
   */
  discover(signal: AbortSignal): Promise<ClusterView>;
  /** A client for this very member and no other. The caller disposes it. */
  connect(member: Member): EtcdMember;
}

export interface ClusterView {
  readonly clusterId: bigint;
  readonly members: readonly Member[];
  /** Endpoints that were tried before one answered, each with its reason. */
  readonly skipped: readonly { readonly endpoint: string; readonly error: Error }[];
}

export interface Member {
  /** 0n where it is not known yet (static discovery). */
  readonly id: bigint;
  readonly name: string;
  readonly isLearner: boolean;
  /** The URL that is dialled, after endpointMap; undefined for a member that was added but never started. */
  readonly endpoint: string | undefined;
}

export interface EtcdMember extends AsyncDisposable {
  readonly member: Member;
  status(signal: AbortSignal): Promise<MemberStatus>;
  /** The cluster's revision by a linearizable read: needs quorum; rejects with `etcd-deadline` or `etcd-no-leader` without. */
  readRevision(signal: AbortSignal): Promise<bigint>;
  alarms(signal: AbortSignal): Promise<readonly Alarm[]>;
  /** Every member as this one knows the cluster, read without quorum. */
  memberList(signal: AbortSignal): Promise<readonly KnownMember[]>;
  /**
   * Asks this member to defragment its database; sent once and never again. While it works it serves nothing. A rejection
   * with `etcd-deadline`, `etcd-unreachable` or `interrupted` says that *we* stopped waiting, never that it stopped working.
   */
  defragment(options: { readonly timeoutMs: number }, signal: AbortSignal): Promise<void>;
  /** Hands leadership to a voter. This member must be the leader; `etcd-call-failed` if it is not, or if it did not come about. */
  moveLeader(targetId: bigint, signal: AbortSignal): Promise<void>;
  /** Lifts this one alarm of this one member and nothing else. */
  disarm(alarm: Alarm, signal: AbortSignal): Promise<void>;
  /** Hash of the key bucket up to `revision` as this member computes it. */
  hashKv(revision: bigint, signal: AbortSignal): Promise<HashKvAnswer>;
  /**
   * Opens Maintenance.Snapshot. Disposing (or leaving the iteration) cancels the call on the server, always.
   * The stream rejects with `stream-stalled` when no data byte comes for `idleTimeoutMs` of waiting for the member
   * (time in which the consumer does not read is not counted), with `stream-interrupted` when the call fails,
   * `stream-short` when it ends with status OK before all announced bytes came, `stream-too-long` beyond them.
   */
  openSnapshot(options: { readonly idleTimeoutMs: number }, signal: AbortSignal): Promise<SnapshotStream>;
}

/** Each block is valid until the next one is asked for: then its memory is filled again. */
export interface SnapshotStream extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Bytes of the whole stream with its 32-byte trailer, as the first message announced. */
  readonly totalBytes: number;
}

export interface MemberStatus {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly version: string;
  /** Revision that this member has applied. */
  readonly revision: bigint;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  /** From 3.6 on; undefined where the member does not say. */
  readonly dbSizeQuotaBytes: number | undefined;
  /** 0n: no leader. */
  readonly leaderId: bigint;
  readonly raftTerm: bigint;
  readonly raftIndex: bigint;
  readonly raftAppliedIndex: bigint;
  readonly isLearner: boolean;
  /** From 3.6 on. */
  readonly storageVersion: string | undefined;
  readonly errors: readonly string[];
}

/** A line of a member list. */
export interface KnownMember {
  readonly id: bigint;
  readonly name: string;
  readonly isLearner: boolean;
}

export interface Alarm {
  readonly memberId: bigint;
  readonly type: 'NOSPACE' | 'CORRUPT' | 'UNKNOWN';
}

export interface HashKvAnswer {
  readonly memberId: bigint;
  readonly hash: number;
  /** Revision the hash was computed at; undefined before 3.6. */
  readonly hashRevision: bigint | undefined;
  readonly compactRevision: bigint;
  /** The member's current revision when it answered. */
  readonly currentRevision: bigint;
}
