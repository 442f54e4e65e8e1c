import { isWardenError } from '../errors/warden-error.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { evidenceName, objectKey, type BackupPlace } from './layout.ts';

/** Writes down beside a backup what was found about it, with whole seconds in the name. Evidence is never removed. */
export async function recordEvidence(
  store: ObjectStore,
  place: BackupPlace,
  kind: 'verified' | 'damaged',
  time: Date,
  facts: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const evidence = {
    format: 'etcd-warden-evidence',
    version: 1,
    kind,
    backup: place.id.text,
    at: time.toISOString(),
    ...facts,
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(evidence, undefined, 2)}\n`);
  try {
    await store.create(objectKey(place, evidenceName(kind, time)), bytes, signal);
  } catch (error) {
    // Two read-backs in one second came to the same end: one record is enough.
    if (!isWardenError(error, 'store-object-exists')) throw error;
  }
}
