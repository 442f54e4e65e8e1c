import { WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';
import { createInspector } from '../inspect/inspector.ts';
import { encryptionContext } from '../manifest/build-manifest.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { Bytes } from './bytes.ts';
import { openSealed } from './open.ts';
import { proveSound } from './prove.ts';

/**
 * Opens a stored snapshot and proves it against its manifest while it streams: stored length and hash, encryption and
 * its context, compression, and at the end the inspection. Yields the snapshot as etcd sent it; only a clean end means
 * that all of it is proved.
 */
export async function* readStored(
  stored: Bytes,
  manifest: Manifest,
  identities: readonly KeyProvider[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { cluster, id, encryption } = manifest;
  const inspector = createInspector();
  const plain = openSealed(
    stored,
    {
      compression: manifest.compression.algorithm,
      encryption: encryption === 'none' ? 'none' : { context: encryptionContext(cluster.name, cluster.lineage, id) },
      stored: manifest.stored,
      limits: { maxPlaintextBytes: manifest.snapshot.sizeBytes },
    },
    identities,
    signal,
  );
  for await (const block of plain) {
    inspector.write(block);
    yield block;
  }
  const inspection = inspector.finish();
  proveSound(inspection);
  proveSame(inspection, manifest);
}

function proveSame(found: Inspection, { snapshot }: Manifest): void {
  compare('bytes', found.sizeBytes, snapshot.sizeBytes);
  compare('SHA-256', found.sha256, snapshot.sha256);
  compare('HASH', found.hash ?? null, snapshot.hash);
  compare('revision', found.revision.toString(), snapshot.revision);
}

function compare(what: string, found: string | number | null, expected: string | number): void {
  if (found === expected) return;
  throw new WardenError('object-damaged', `the snapshot inside has ${what} ${found}, the manifest says ${expected}`, {
    details: { what, found, expected },
  });
}
