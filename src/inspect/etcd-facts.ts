import type { ByteSpan } from './byte-span.ts';
import { leafElements } from './leaf-elements.ts';
import { isRevisionKey, readMain } from './mvcc.ts';
import { readCount } from './pages.ts';

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

/** Whether a leaf page with this key may be one that the facts are read from. */
export function isEtcdFact(key: Uint8Array): boolean {
  return keysByLength.has(key.length) && factKeyOf(key) !== undefined;
}

function factKeyOf(key: Uint8Array): FactKey | undefined {
  const candidates = keysByLength.get(key.length);
  return candidates?.find((candidate) => text.decode(key) === candidate);
}

export interface EtcdFacts {
  readonly consistentIndex: bigint | undefined;
  readonly term: bigint | undefined;
  readonly storageVersion: string | undefined;
  readonly clusterVersion: string | undefined;
  /** Highest of the scheduled and the finished compaction; -1 where there was none, as members answer it. */
  readonly compactRevision: number;
}

/** Reads the facts from the kept leaf pages of buckets `meta` and `cluster`. */
export function readEtcdFacts(leaves: readonly ByteSpan[]): EtcdFacts {
  const values = new Map<FactKey, Uint8Array>();
  for (const leaf of leaves) {
    for (const { keyStart, valueStart, valueEnd } of leafElements(leaf, 0, readCount(leaf, 0))) {
      const key = factKeyOf(leaf.bytes.subarray(keyStart, valueStart));
      if (key !== undefined) values.set(key, leaf.bytes.subarray(valueStart, valueEnd));
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
  if (value === undefined || value.length > 32) return undefined;
  const found = text.decode(value);
  return /^[0-9A-Za-z.+-]+$/.test(found) ? found : undefined;
}

function revision(value: Uint8Array | undefined): number {
  if (value === undefined) return -1;
  const span = { bytes: value, view: new DataView(value.buffer, value.byteOffset, value.byteLength) };
  return value.length === 17 && isRevisionKey(span, 0, 17) ? readMain(span, 0) : -1;
}
