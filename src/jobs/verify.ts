import { isWardenError, toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { Log } from '../ports/log.ts';
import type { Progress } from '../ports/progress.ts';
import type { Repository } from '../ports/repository.ts';
import type { BackupPlace } from '../repository/layout.ts';
import { recordEvidence } from '../repository/evidence.ts';
import { objectKey } from '../repository/layout.ts';
import { readManifest } from '../repository/read-manifest.ts';
import { selectBackups, type Selection } from '../repository/select-backups.ts';
import { readStored } from '../snapshot/read-stored.ts';
import { warnIfUnsealed } from '../snapshot/warn-unsealed.ts';

export interface VerifyParts {
  readonly repositories: readonly Repository[];
  readonly identities: readonly KeyProvider[];
  /** Whether backups are encrypted today; then one that is not deserves a warning. */
  readonly encrypts: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Aborted once another run may do the same work: no further backup is begun. */
  readonly lost?: AbortSignal;
}

export interface VerifiedBackup {
  readonly repository: string;
  readonly place: BackupPlace;
  /** Bytes of the snapshot that were proved; undefined where it was not. */
  readonly snapshotBytes: number | undefined;
  readonly error: WardenError | undefined;
  /** Whether the outcome stands beside the backup now; a role without the right to write can verify all the same. */
  readonly recorded: boolean;
}

export interface VerifyResult {
  readonly backups: readonly VerifiedBackup[];
  /** Repositories that could not be listed, or hold nothing that was asked for. */
  readonly failed: ReadonlyMap<string, WardenError>;
}

/**
 * Reads backups back to the last byte and proves them whole. The outcome is recorded beside each backup: a read-back
 * that passed, or damage. What only could not be read (network, rights, keys) is an error and no evidence of damage.
 */
export async function verifyBackups(
  parts: VerifyParts,
  cluster: string,
  selection: Selection,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const backups: VerifiedBackup[] = [];
  const failed = new Map<string, WardenError>();
  for (const repository of parts.repositories) {
    try {
      const entries = await selectBackups(repository, cluster, selection, signal);
      for (const entry of entries) {
        parts.lost?.throwIfAborted();
        backups.push(await verifyBackup(parts, repository, entry.place, signal));
      }
    } catch (thrown) {
      signal.throwIfAborted();
      parts.lost?.throwIfAborted();
      const error = toWardenError(thrown);
      failed.set(repository.name, error);
      const fields = { repository: repository.name, code: error.code, reason: error.message };
      // Whether that is a failure is for whoever asked: a new installation holds nothing yet.
      if (isWardenError(error, 'backup-not-found')) parts.log.info('nothing to read back', fields);
      else parts.log.error('repository failed', fields);
    }
  }
  return { backups, failed };
}

async function verifyBackup(
  parts: VerifyParts,
  repository: Repository,
  place: BackupPlace,
  signal: AbortSignal,
): Promise<VerifiedBackup> {
  const outcome = { repository: repository.name, place };
  parts.progress({ kind: 'stage', text: `reading ${place.id.text} from ${repository.name}` });
  try {
    const snapshotBytes = await readBack(parts, repository, place, signal);
    const recorded = await record(parts, repository, place, 'verified', {}, signal);
    parts.log.info('backup verified', { repository: repository.name, backup: place.id.text, snapshotBytes });
    return { ...outcome, snapshotBytes, error: undefined, recorded };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toWardenError(thrown);
    const fields = { repository: repository.name, backup: place.id.text, code: error.code, reason: error.message };
    parts.log.error('verification failed', fields);
    const isDamage = provesDamage(error);
    const evidence = { code: error.code, message: error.message };
    const recorded = isDamage && (await record(parts, repository, place, 'damaged', evidence, signal));
    return { ...outcome, snapshotBytes: undefined, error, recorded };
  }
}

async function readBack(
  { identities, encrypts, log, progress }: VerifyParts,
  { name, store }: Repository,
  place: BackupPlace,
  signal: AbortSignal,
): Promise<number> {
  const manifest = await readManifest(store, place, signal);
  warnIfUnsealed(manifest, encrypts, name, log);
  await using body = await store.read(objectKey(place, manifest.stored.object), {}, signal);
  let doneBytes = 0;
  for await (const block of readStored(body, manifest, identities, signal)) {
    doneBytes += block.length;
    progress({ kind: 'bytes', doneBytes, totalBytes: manifest.snapshot.sizeBytes });
  }
  return doneBytes;
}

async function record(
  parts: VerifyParts,
  repository: Repository,
  place: BackupPlace,
  kind: 'verified' | 'damaged',
  facts: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await recordEvidence(repository.store, place, { kind, at: parts.clock.now(), facts }, signal);
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message: reason } = toWardenError(thrown);
    parts.log.warn(`could not record that the backup is ${kind}`, { repository: repository.name, code, reason });
    return false;
  }
}

/**
 * Whether an error proves that stored bytes are not what was written. What exceeds the inspector, vanished meanwhile, or
 * differs in the manifest alone is no evidence against the object: a later version may see it otherwise.
 */
function provesDamage(error: WardenError): boolean {
  return isWardenError(
    error,
    'object-damaged',
    'format-mismatch',
    'context-mismatch',
    'manifest-invalid',
    'snapshot-damaged',
    'snapshot-not-etcd',
    'trailer-mismatch',
    'trailer-missing',
  );
}
