import { WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';
import { encryptionContext } from '../manifest/build-manifest.ts';
import type { Manifest } from '../manifest/schema.ts';

/**
 * Rejects where a snapshot that was read to its end, and found sound, is not the one that its manifest describes. A
 * manifest has no seal of its own (SECURITY.md), so whatever the bytes or the place of the backup decide is compared.
 */
export function proveManifest(found: Inspection, manifest: Manifest): void {
  proveContent(found, manifest);
  provePlace(manifest);
}

function proveContent(found: Inspection, { snapshot }: Manifest): void {
  compare('bytes', found.sizeBytes, snapshot.sizeBytes);
  compare('SHA-256', found.sha256, snapshot.sha256);
  compare('HASH', found.hash, snapshot.hash);
  compare('revision', found.revision.toString(), snapshot.revision);
  compare('compact revision', found.compactRevision.toString(), snapshot.compactRevision);
  compare('page size', found.pageSizeBytes, snapshot.pageSizeBytes);
  compare('entries', found.totalEntries, snapshot.totalEntries);
  compare('storage version', found.storageVersion ?? null, snapshot.storageVersion);
  compare('cluster version', found.clusterVersion ?? null, snapshot.clusterVersion);
  // Either side may have had too little memory to tell.
  if (found.liveKeys !== undefined && snapshot.liveKeys !== null)
    compare('live keys', found.liveKeys, snapshot.liveKeys);
  if (found.kvHash === undefined || snapshot.kvHash === null) return;
  compare('HashKV', found.kvHash.hash, snapshot.kvHash.hash);
  compare('revision of HashKV', found.kvHash.revision.toString(), snapshot.kvHash.revision);
  compare('compact revision of HashKV', found.kvHash.compactRevision.toString(), snapshot.kvHash.compactRevision);
}

/** Cluster, lineage and id were compared with the place when the manifest was read (`decodeManifest`). */
function provePlace({ id, cluster, encryption, freshness }: Manifest): void {
  if (freshness.checked && !id.includes(`-r${freshness.readRevision}-`)) {
    throw altered(id, `it says that the backup began at revision ${freshness.readRevision}, its id says otherwise`);
  }
  if (encryption === 'none') return;
  const expected = encryptionContext(cluster.name, cluster.lineage, id);
  for (const name of new Set([...Object.keys(expected), ...Object.keys(encryption.context)])) {
    const stated = encryption.context[name];
    if (stated !== expected[name]) throw altered(id, `its encryption context has ${name} = ${stated ?? 'nothing'}`);
  }
}

type Fact = string | number | null;

function compare(what: string, found: Fact | undefined, expected: Fact): void {
  if (found === expected) return;
  // Whole and with the right hash, the bytes are those that were stored: then it is the manifest that is not right.
  const code = what === 'bytes' || what === 'SHA-256' ? 'object-damaged' : 'manifest-differs';
  throw new WardenError(code, `the snapshot inside has ${what} ${found}, the manifest says ${expected}`, {
    details: { what, found: found ?? null, expected },
  });
}

function altered(id: string, reason: string): WardenError {
  return new WardenError('manifest-invalid', `the manifest of ${id} is not valid: ${reason}`, { details: { id } });
}
