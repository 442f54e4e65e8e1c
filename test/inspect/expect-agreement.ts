import { expect } from 'vitest';
import type { Inspection } from '../../src/inspect/inspector.ts';
import { snapshotStatus, type SnapshotSource } from '../support/snapshot-fixtures.ts';
import type { EtcdVersion } from '../support/toolchain.ts';
import { inspectBytes } from './inspect-bytes.ts';

/** The inspection says what this version's etcdutl and its live member say. */
export async function expectAgreement(
  source: SnapshotSource,
  version: EtcdVersion,
  { hasKvHash = true } = {},
): Promise<Inspection> {
  const revision = await source.revision();
  const live = await source.hashKv(revision);
  const saved = await source.save();
  const status = await snapshotStatus(version, saved.path);
  const found = inspectBytes(saved.bytes);
  expect(found).toMatchObject({
    verdict: 'sound',
    damage: [],
    hash: status.hash,
    newestEntryRevision: BigInt(status.revision),
    revision: BigInt(revision),
    databaseBytes: status.totalSize,
    kvHash: hasKvHash
      ? { hash: live.hash, revision: BigInt(revision), compactRevision: BigInt(live.compactRevision) }
      : undefined,
    compactRevision: BigInt(live.compactRevision),
    clusterVersion: `${version}.0`,
  });
  expect(version === '3.5' ? found.totalEntries : found.liveKeys).toBe(status.totalKey);
  expect(found.storageVersion ?? '').toBe(status.version ?? '');
  expect(found.consistentIndex).toBeGreaterThan(0n);
  expect(found.term).toBeGreaterThan(0n);
  return found;
}
