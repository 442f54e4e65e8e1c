/** One backup, as retention sees it: what the listing alone tells. */
export interface BackupFacts {
  readonly id: string;
  /** The etcd cluster id, 16 hex digits. */
  readonly lineage: string;
  /** When it was taken, by the clock of its writer: from the id. */
  readonly time: Date;
  readonly revision: bigint;
  /** When its manifest was stored, by the clock of the store. */
  readonly storedAt: Date;
  /** Incomplete ones are no backups: the sweep looks after them. */
  readonly state: 'complete' | 'damaged';
  /** Newest read-back that passed, and newest drill. */
  readonly verifiedAt: Date | undefined;
  readonly drilledAt: Date | undefined;
  readonly holds: readonly string[];
  readonly lockedUntil: Date | undefined;
  readonly storedBytes: number;
}

export interface RetentionFacts {
  /** By the clock of this machine. */
  readonly now: Date;
  /** Every backup of the cluster, of whatever lineage, in any order. */
  readonly backups: readonly BackupFacts[];
  /** The one to prune, where it is known; undefined: the one that the newest backup belongs to. */
  readonly lineage: string | undefined;
  /** How many backups the schedule brings in a day at most; undefined where there is none to go by. */
  readonly expectedPerDay: number | undefined;
}
