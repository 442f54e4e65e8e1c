import { createInspector } from '../inspect/inspector.ts';
import { encryptionContext } from '../manifest/build-manifest.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { Bytes } from './bytes.ts';
import { openSealed } from './open.ts';
import { proveManifest } from './prove-manifest.ts';
import { proveSound } from './prove.ts';

/**
 * Opens a stored snapshot and proves it against its manifest while it streams: stored length and hash, encryption and
 * its context, compression and its length and hash, and at the end the inspection. Yields the snapshot as etcd sent it;
 * only a clean end means that all of it is proved. A block is good until the next is asked for.
 */
export async function* readStored(
  stored: Bytes,
  manifest: Manifest,
  identities: readonly KeyProvider[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { cluster, id, encryption, compression } = manifest;
  const inspector = createInspector();
  const plain = openSealed(
    stored,
    {
      compression: compression.algorithm,
      encryption: encryption === 'none' ? 'none' : { context: encryptionContext(cluster.name, cluster.lineage, id) },
      stored: manifest.stored,
      compressed: compression.algorithm === 'none' ? undefined : compression,
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
  proveManifest(inspection, manifest);
}
