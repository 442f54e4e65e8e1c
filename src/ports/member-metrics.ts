import type { Member } from './etcd.ts';

/** What a member tells of itself on its Prometheus endpoint only. */
export interface MemberMetrics {
  /**
   * Asks this member. undefined where the configuration turns it off; rejects with an `etcd-*` WardenError where the member
   * cannot be asked or what it serves is not etcd's.
   */
  read(member: Member, signal: AbortSignal): Promise<MemberMetricFacts | undefined>;
}

/** undefined for what this version of etcd does not export. */
export interface MemberMetricFacts {
  /** `etcd_server_quota_backend_bytes`, as the member has it: 0 and negative values included. */
  readonly quotaBytes: number | undefined;
  /** Snapshot streams that began and did not end: gRPC started minus handled. */
  readonly openSnapshots: number | undefined;
  /** Raft snapshots that it is sending to another member right now. */
  readonly raftSnapshotsInFlight: number | undefined;
  readonly openReadTransactions: number | undefined;
  readonly isDefragmenting: boolean | undefined;
}
