/** The cluster at one moment, as far as it could be seen. */
export interface ClusterFacts {
  readonly now: Date;
  /** Every listed member: learners, unstarted and unreachable ones too. */
  readonly members: readonly MemberFacts[];
  readonly alarms: readonly { readonly memberId: bigint; readonly type: 'NOSPACE' | 'CORRUPT' | 'UNKNOWN' }[];
  /** Why no linearizable read went through; undefined where one did. */
  readonly noQuorumBecause: string | undefined;
  /** When the newest usable backup was taken; undefined where there is none or nobody looked. */
  readonly newestBackupAt: Date | undefined;
}

export interface MemberFacts {
  /** 0n where it is not known. */
  readonly id: bigint;
  readonly name: string;
  readonly isLearner: boolean;
  /** Added to the cluster and never started: it has no client URL. */
  readonly isUnstarted: boolean;
  /** undefined where it did not answer. */
  readonly answer: MemberAnswer | undefined;
  /** Why it did not answer. */
  readonly unreachableBecause: string | undefined;
  /**
   * Why no linearizable read goes through it while it answers otherwise. A member that was just cut off from the others
   * says for a second or two that all is well.
   */
  readonly cutOffBecause?: string | undefined;
  readonly quota: Quota;
  readonly activity: Activity;
  readonly lastDefrag: PastDefrag | undefined;
}

/** What an earlier run remembered of this member. */
export interface PastDefrag {
  readonly at: Date;
  readonly beforeBytes: number;
  /** undefined where the end was never seen. */
  readonly afterBytes: number | undefined;
  /** Attempts in a row that did not end well. */
  readonly failures: number;
}

export interface MemberAnswer {
  readonly version: string;
  /** 0n: it knows of no leader. */
  readonly leaderId: bigint;
  readonly raftTerm: bigint;
  readonly raftIndex: bigint;
  readonly raftAppliedIndex: bigint;
  readonly dbSizeBytes: number;
  readonly inUseBytes: number;
  /** Ids of all members as this one knows the cluster; undefined where it did not tell. */
  readonly knownMemberIds: readonly bigint[] | undefined;
}

/** A member's backend quota and where the number comes from. */
export type Quota =
  | { readonly kind: 'limited'; readonly bytes: number; readonly source: 'configuration' | 'status' | 'metrics' }
  /** Negative in etcd: there is no limit. */
  | { readonly kind: 'unlimited'; readonly source: 'status' | 'metrics' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What else the member is doing, as its metrics tell. */
export type Activity =
  | {
      readonly kind: 'seen';
      /** Snapshot streams, ours or a stranger's. */
      readonly openSnapshots: number;
      readonly raftSnapshotsInFlight: number;
      readonly isDefragmenting: boolean;
    }
  /** The configuration turned the look off. */
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'unknown'; readonly reason: string };
