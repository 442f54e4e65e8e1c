import { buildManifest } from '../../src/manifest/build-manifest.ts';
import { encodeManifest } from '../../src/manifest/manifest.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Log, LogFields } from '../../src/ports/log.ts';
import type { Repository } from '../../src/ports/repository.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
import { prepareSealing, seal } from '../../src/snapshot/seal.ts';
import { inspectBytes } from '../inspect/inspect-bytes.ts';
import { bytesOf, collect } from '../support/byte-streams.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { sampleFacts } from '../support/sample-backup.ts';

const endless = new AbortController().signal;

export interface TestRepository extends Repository {
  readonly store: MemoryStore;
}

export function repositoryNamed(name: string): TestRepository {
  return { name, store: createMemoryStore(name) };
}

/** Stores a snapshot as a backup does, compressed and not encrypted. */
export async function storeSnapshot(store: MemoryStore, place: BackupPlace, snapshot: Buffer): Promise<void> {
  const prepared = await prepareSealing({ compression: { algorithm: 'zstd', level: 1 }, encryption: 'none' }, endless);
  await using stream = seal(bytesOf(snapshot), prepared, endless);
  const object = await collect(stream);
  const { facts } = stream;
  const manifest = buildManifest(
    sampleFacts(place, {
      inspection: inspectBytes(snapshot),
      compression: { algorithm: 'zstd', level: 1, sizeBytes: facts.compressedBytes, sha256: facts.compressedSha256 },
      stored: { object: snapshotName('.zst'), sizeBytes: facts.sealedBytes, sha256: facts.sealedSha256 },
    }),
  );
  await store.create(objectKey(place, snapshotName('.zst')), object, endless);
  await store.create(objectKey(place, manifestName), encodeManifest(manifest), endless);
}

/** Changes a stored object behind the back of the store. */
export function alter(
  { store }: TestRepository,
  place: BackupPlace,
  name: string,
  change: (bytes: Buffer) => Buffer,
): void {
  const key = objectKey(place, name);
  const object = store.objects.get(key);
  if (object === undefined) throw new Error(`nothing is stored under ${key}`);
  store.objects.set(key, { ...object, bytes: change(Buffer.from(object.bytes)) });
}

export const flipLastBit = (bytes: Buffer): Buffer => {
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return bytes;
};

/** Keeps what somebody should look at: warnings and errors. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const ignored = (): void => undefined;
  return { lines, debug: ignored, info: ignored, warn: line('warn'), error: line('error') };
}

/** What was logged, with its fields. */
export type LoggedLine = readonly [level: string, message: string, fields: LogFields | undefined];

/** Keeps every line whole. */
export function fieldsLog(): Log & { readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const line = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  return { lines, debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** A listing that fails at once. */
export function failingListing(error: Error): AsyncIterable<never> {
  const next = async (): Promise<never> => {
    throw error;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

export const clockAt = (time: string): Clock => ({ now: () => new Date(time), monotonicMs: () => 0 });

export const silent = (): void => undefined;
