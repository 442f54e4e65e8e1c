import type { ByteSpan } from './byte-span.ts';
import { leafElements } from './leaf-elements.ts';
import { isRevisionKey, readMain } from './mvcc.ts';

/** Keys of buckets `meta` and `cluster`. Source: etcd server/storage/schema/bucket.go. */
const factKeys = [
  'consistent_index',
  'term',
  'storageVersion',
  'scheduledCompactRev',
  'finishedCompactRev',
  'clusterVersion',
] as const;
type FactKey = (typeof factKeys)[number];

const keysByLength = new Map(
  factKeys.map((key) => [key.length, factKeys.filter((other) => other.length === key.length)]),
);
const text = new TextDecoder('latin1');

/** No value of theirs is longer, and what is longer is not repeated. */
const maxValueBytes = 32;

/** The facts that a leaf page of bucket `meta` or `cluster` would hold, each as key number, length and value; mostly none. */
export function packEtcdFacts(leaf: ByteSpan, at: number, count: number): Uint8Array {
  const packed: number[] = [];
  for (const { keyStart, valueStart, valueEnd } of leafElements(leaf, at, count)) {
    const key = factKeyOf(leaf.bytes, keyStart, valueStart);
    if (key === undefined || valueEnd - valueStart > maxValueBytes) continue;
    packed.push(factKeys.indexOf(key), valueEnd - valueStart, ...leaf.bytes.subarray(valueStart, valueEnd));
  }
  return new Uint8Array(packed);
}

function factKeyOf(bytes: Uint8Array, from: number, to: number): FactKey | undefined {
  const candidates = keysByLength.get(to - from);
  return candidates?.find((candidate) => text.decode(bytes.subarray(from, to)) === candidate);
}

export interface EtcdFacts {
  readonly consistentIndex: bigint | undefined;
  readonly term: bigint | undefined;
  readonly storageVersion: string | undefined;
  readonly clusterVersion: string | undefined;
  /** Highest of the scheduled and the finished compaction; -1 where there was none, as members answer it. */
  readonly compactRevision: number;
}

/** Reads what was packed of each leaf page of buckets `meta` and `cluster`. */
export function readEtcdFacts(leaves: readonly Uint8Array[]): EtcdFacts {
  const values = new Map<FactKey, Uint8Array>();
  for (const packed of leaves) {
    for (let at = 0; at < packed.length; at += 2 + packed[at + 1]!) {
      values.set(factKeys[packed[at]!]!, packed.subarray(at + 2, at + 2 + packed[at + 1]!));
    }
  }
  return {
    consistentIndex: bigEndian(values.get('consistent_index')),
    term: bigEndian(values.get('term')),
    storageVersion: version(values.get('storageVersion')),
    clusterVersion: version(values.get('clusterVersion')),
    compactRevision: Math.max(revision(values.get('scheduledCompactRev')), revision(values.get('finishedCompactRev'))),
  };
}

function bigEndian(value: Uint8Array | undefined): bigint | undefined {
  if (value?.length !== 8) return undefined;
  return new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0);
}

/** `3.6.0`; anything else is not repeated. */
function version(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const found = text.decode(value);
  return /^[0-9A-Za-z.+-]+$/.test(found) ? found : undefined;
}

function revision(value: Uint8Array | undefined): number {
  if (value === undefined) return -1;
  const span = { bytes: value, view: new DataView(value.buffer, value.byteOffset, value.byteLength) };
  return value.length === 17 && isRevisionKey(span, 0, 17) ? readMain(span, 0) : -1;
}
