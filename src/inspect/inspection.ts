import type { Damage } from './damage.ts';
import type { EncryptionUse, PrefixUse } from './usage.ts';

/** Plain facts of one snapshot. Where it is damaged, what can't be known is undefined or 0. */
export interface Inspection {
  /** `sound`: nothing at all was found wrong, trailer included. */
  readonly verdict: 'sound' | 'damaged';
  /** At most 20; `damageCount` counts all. */
  readonly damage: readonly Damage[];
  readonly damageCount: number;
  /** All bytes, the trailer too. */
  readonly sizeBytes: number;
  /** Without the trailer. */
  readonly databaseBytes: number;
  readonly pageSizeBytes: number | undefined;
  readonly trailer: 'matches' | 'differs' | 'missing';
  /** Of all bytes, in hex. */
  readonly sha256: string;
  /** As the file carries it, in hex. */
  readonly trailerSha256: string | undefined;
  /** HASH of `etcdutl snapshot status`. */
  readonly hash: number | undefined;
  /** What a live member answers to HashKV at `revision`, if its compact revision is the same. */
  readonly kvHash: KvHash | undefined;
  /** Why there is no kvHash. */
  readonly kvHashSkipped: string | undefined;
  /** Revision at which a member opened from this file stands; 1 where nothing was ever written. */
  readonly revision: bigint;
  /** Newest revision in bucket `key`, which `etcdutl snapshot status` prints as revision; 0 where it is empty. */
  readonly newestEntryRevision: bigint;
  /** Highest compaction scheduled or finished; -1 where there was none, which is what members answer too. */
  readonly compactRevision: bigint;
  /** Entries of all buckets: total keys of etcdutl up to 3.5. */
  readonly totalEntries: number;
  /** Keys that exist at `revision`: total keys of etcdutl from 3.6 on. undefined where there are too many entries to tell. */
  readonly liveKeys: number | undefined;
  /** From 3.6 on. */
  readonly storageVersion: string | undefined;
  readonly clusterVersion: string | undefined;
  readonly consistentIndex: bigint | undefined;
  readonly term: bigint | undefined;
  readonly encryptionProviders: readonly EncryptionUse[];
  /** Up to 20 by bytes and 20 by entries, largest first. */
  readonly largestPrefixes: readonly PrefixUse[];
}

export interface KvHash {
  readonly hash: number;
  readonly revision: bigint;
  readonly compactRevision: bigint;
}
