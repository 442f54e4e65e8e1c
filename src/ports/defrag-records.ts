/** What one run remembers for the next about defragmentation, beside the lock in etcd. */
export interface DefragRecords {
  /** The newest record of each member, by member id. Unreadable ones are left out. */
  readAll(signal: AbortSignal): Promise<ReadonlyMap<bigint, DefragRecord>>;
  /** Replaces the member's record. */
  write(memberId: bigint, record: DefragRecord, signal: AbortSignal): Promise<void>;
}

export interface DefragRecord {
  /** When the call was sent. */
  readonly at: Date;
  readonly beforeBytes: number;
  /** undefined where the end was never seen. */
  readonly afterBytes: number | undefined;
  readonly durationMs: number;
  /** Attempts in a row that did not end well, this one included; 0 after a good one. */
  readonly failures: number;
}
