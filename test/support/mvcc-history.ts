import type { CraftedBucket, Entry } from './craft.ts';

/** What happened to user keys, as etcd's `key` bucket records it, and the hashes that etcd would compute of it. */
export interface Write {
  readonly key: string;
  /** undefined deletes the key, if it exists. */
  readonly value: Buffer | undefined;
  /** In the same transaction as the write before. */
  readonly sameTransaction: boolean;
}

export interface Revision {
  readonly main: number;
  readonly sub: number;
  readonly key: string;
  readonly isTombstone: boolean;
  readonly entry: Entry;
}

/** Every revision that the writes make; the first one is 2, as in etcd. */
export function revisionsOf(writes: readonly Write[]): Revision[] {
  const versions = new Map<string, { created: number; version: number }>();
  const written = new Set<string>();
  const revisions: Revision[] = [];
  let main = 1;
  let sub = 0;
  for (const { key, value, sameTransaction } of writes) {
    const known = versions.get(key);
    if (value === undefined && known === undefined) continue;
    // A transaction writes a key once.
    if (sameTransaction && main > 1 && !written.has(key)) sub++;
    else {
      main++;
      sub = 0;
      written.clear();
    }
    written.add(key);
    const isTombstone = value === undefined;
    const state = { created: known?.created ?? main, version: (known?.version ?? 0) + 1 };
    if (isTombstone) versions.delete(key);
    else versions.set(key, state);
    const record = isTombstone
      ? [bytesField(1, Buffer.from(key))]
      : keyValue(key, value, state.created, main, state.version);
    revisions.push({
      main,
      sub,
      key,
      isTombstone,
      entry: [revisionKey(main, sub, isTombstone), Buffer.concat(record)],
    });
  }
  return revisions;
}

/** What a compaction at `at` leaves: everything above, and of the rest what a reader at `at` sees, and tombstones at `at`. */
export function compacted(revisions: readonly Revision[], at: number): Revision[] {
  const newest = new Map<string, Revision>();
  for (const revision of revisions) if (revision.main <= at) newest.set(revision.key, revision);
  return revisions.filter(
    (each) => each.main > at || (newest.get(each.key) === each && (!each.isTombstone || each.main === at)),
  );
}

/** Entries that HashKV counts at the last revision; etcd server/storage/mvcc/hash.go, word for word. */
export function entriesInKvHash(revisions: readonly Revision[], compactRevision: number): Entry[] {
  const newest = new Map(revisions.map((revision) => [revision.key, revision]));
  const keep = new Set([...newest.values()].filter((revision) => !revision.isTombstone));
  return revisions
    .filter((each) => !(each.main <= compactRevision && keep.size > 0 && !keep.has(each)))
    .filter((each) => !(each.main === compactRevision && each.isTombstone))
    .map(({ entry }) => entry);
}

export function liveKeyCount(revisions: readonly Revision[]): number {
  const live = new Set<string>();
  for (const { key, isTombstone } of revisions) {
    if (isTombstone) live.delete(key);
    else live.add(key);
  }
  return live.size;
}

/** The buckets of an etcd with these revisions. -1: never compacted. */
export function etcdBuckets(revisions: readonly Revision[], compactRevision = -1): CraftedBucket[] {
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(77n);
  const term = Buffer.alloc(8);
  term.writeBigUInt64BE(3n);
  const compaction: Entry[] =
    compactRevision < 0 ? [] : [[Buffer.from('finishedCompactRev'), revisionKey(compactRevision, 0, false)]];
  const scheduled: Entry[] =
    compactRevision < 0 ? [] : [[Buffer.from('scheduledCompactRev'), revisionKey(compactRevision, 0, false)]];
  return [
    { name: 'key', entries: revisions.map(({ entry }) => entry) },
    {
      name: 'meta',
      entries: [
        [Buffer.from('consistent_index'), index],
        ...compaction,
        ...scheduled,
        [Buffer.from('storageVersion'), Buffer.from('3.6.0')],
        [Buffer.from('term'), term],
      ],
    },
    { name: 'cluster', entries: [[Buffer.from('clusterVersion'), Buffer.from('3.6.0')]] },
    { name: 'alarm', entries: [] },
    { name: 'lease', entries: Array.from({ length: 300 }, (_, i): Entry => [bigEndian(i + 1), Buffer.alloc(20, i)]) },
  ];
}

export function revisionKey(main: number, sub: number, isTombstone: boolean): Buffer {
  return Buffer.concat([bigEndian(main), Buffer.from('_'), bigEndian(sub), Buffer.from(isTombstone ? 't' : '')]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function keyValue(key: string, value: Buffer, created: number, main: number, version: number): Buffer[] {
  const numbers = [
    [2, created],
    [3, main],
    [4, version],
  ] as const;
  return [
    bytesField(1, Buffer.from(key)),
    ...numbers.map(([field, number]) => Buffer.concat([Buffer.from([field << 3]), varint(number)])),
    bytesField(5, value),
    // A lease on every third revision, behind the value.
    ...(main % 3 === 0 ? [Buffer.concat([Buffer.from([6 << 3]), varint(2 ** 50 + main)])] : []),
  ];
}

const bytesField = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2]), varint(bytes.length), bytes]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
