import type { DatabaseContents } from './database.ts';
import type { Inspection, KvHash } from './inspection.ts';
import { kvHash } from './kv-hash.ts';
import { haveEntries, NewestEntries } from './newest-entries.ts';
import { pageMark, rowOf } from './page-summaries.ts';
import { countEntries, statusHash } from './status-hash.ts';
import { encryptionUse, largestPrefixes } from './usage.ts';

type Contents = Omit<
  Inspection,
  | 'verdict'
  | 'damage'
  | 'damageCount'
  | 'sizeBytes'
  | 'databaseBytes'
  | 'pageSizeBytes'
  | 'trailer'
  | 'sha256'
  | 'trailerSha256'
>;

export interface DescribedContents {
  readonly facts: Contents;
  /** See Inspector. */
  readonly hashKvAt: (compactRevision: bigint) => number | undefined;
}

/** What an etcd database says, once its trees are known to be whole. */
export function describeContents(contents: DatabaseContents | undefined): DescribedContents {
  if (contents === undefined) return { facts: unknownContents, hashKvAt: () => undefined };
  const { stores, buckets, keyLeaves, facts } = contents;
  const newest = canTellKeysApart(contents) ? new NewestEntries(stores, keyLeaves) : undefined;
  const newestEntry = newestRevision(contents);
  // As etcd's store.restore does: keys at the newest revisions may all have been compacted away, and it starts at 1.
  const revision = Math.max(1, newestEntry, facts.compactRevision);
  const described = {
    hash: statusHash(stores, buckets),
    ...hashKv(contents, revision, newest),
    revision: BigInt(revision),
    newestEntryRevision: BigInt(newestEntry),
    compactRevision: BigInt(facts.compactRevision),
    totalEntries: countEntries(stores, buckets),
    liveKeys: newest?.liveKeys,
    storageVersion: facts.storageVersion,
    clusterVersion: facts.clusterVersion,
    consistentIndex: facts.consistentIndex,
    term: facts.term,
    encryptionProviders: encryptionUse(stores, keyLeaves, newest),
    largestPrefixes: largestPrefixes(stores, keyLeaves),
  };
  return {
    facts: described,
    hashKvAt: (compactRevision) => hashKvAt(contents, revision, newest, Number(compactRevision)),
  };
}

const unknownContents: Contents = {
  hash: undefined,
  kvHash: undefined,
  kvHashSkipped: 'the database is damaged',
  revision: 0n,
  newestEntryRevision: 0n,
  compactRevision: -1n,
  totalEntries: 0,
  liveKeys: undefined,
  storageVersion: undefined,
  clusterVersion: undefined,
  consistentIndex: undefined,
  term: undefined,
  encryptionProviders: [],
  largestPrefixes: [],
};

function hashKv(
  contents: DatabaseContents,
  revision: number,
  newest: NewestEntries | undefined,
): { kvHash: KvHash | undefined; kvHashSkipped: string | undefined } {
  const { compactRevision } = contents.facts;
  const skipped = (why: string) => ({ kvHash: undefined, kvHashSkipped: why });
  if (compactRevision >= revision) {
    return skipped('the newest revision is the compacted one: members answer for it from before that compaction');
  }
  if (dependsOnProgress(compactRevision, newest)) {
    return skipped('no key is live: members answer for whatever their compaction has not removed yet');
  }
  const hash = hashKvAt(contents, revision, newest, compactRevision);
  if (hash === undefined) return skipped('there are more entries, or longer keys, than memory is set aside for');
  return {
    kvHash: { hash, revision: BigInt(revision), compactRevision: BigInt(compactRevision) },
    kvHashSkipped: undefined,
  };
}

function hashKvAt(
  { stores, keyLeaves, facts }: DatabaseContents,
  revision: number,
  newest: NewestEntries | undefined,
  compactRevision: number,
): number | undefined {
  if (compactRevision < facts.compactRevision || compactRevision >= revision) return undefined;
  if (dependsOnProgress(compactRevision, newest)) return undefined;
  const firstLeaf = keyLeaves[0];
  const oldest = firstLeaf === undefined ? Infinity : stores.pages.chunkFor(firstLeaf).firstMain[rowOf(firstLeaf)]!;
  if (newest === undefined && oldest <= compactRevision) return undefined;
  return kvHash(stores, keyLeaves, compactRevision, newest);
}

/** Without a live key a member hashes whatever its compaction has not removed yet. Source: see kvHash. */
function dependsOnProgress(compactRevision: number, newest: NewestEntries | undefined): boolean {
  return compactRevision >= 0 && newest?.liveKeys === 0;
}

/** Whether entries were recorded for every leaf page of bucket `key`, each with the hash of its user key. */
function canTellKeysApart({ stores, keyLeaves }: DatabaseContents): boolean {
  const isHashed = (page: number): boolean =>
    (stores.pages.chunkFor(page).marks[rowOf(page)]! & pageMark.keyNotHashed) === 0;
  return haveEntries(stores, keyLeaves) && keyLeaves.every(isHashed);
}

function newestRevision({ stores, keyLeaves }: DatabaseContents): number {
  const lastLeaf = keyLeaves.at(-1);
  return lastLeaf === undefined ? 0 : stores.pages.chunkFor(lastLeaf).lastMain[rowOf(lastLeaf)]!;
}
