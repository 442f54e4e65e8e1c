import { combineFailures } from '../errors/combine-failures.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import { createInspector } from '../inspect/inspector.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { LocalFiles, NewFile } from '../ports/local-files.ts';
import type { Log } from '../ports/log.ts';
import type { Progress } from '../ports/progress.ts';
import type { Repository } from '../ports/repository.ts';
import { objectKey } from '../repository/layout.ts';
import { readManifest } from '../repository/read-manifest.ts';
import { selectBackups } from '../repository/select-backups.ts';
import { openFile } from '../snapshot/open-file.ts';
import { proveSound } from '../snapshot/prove.ts';
import { readStored } from '../snapshot/read-stored.ts';
import { warnIfUnsealed } from '../snapshot/warn-unsealed.ts';

export interface RestoreParts {
  readonly repositories: readonly Repository[];
  readonly identities: readonly KeyProvider[];
  /** Whether backups are encrypted today; then one that is not deserves a warning. */
  readonly encrypts: boolean;
  readonly files: LocalFiles;
  readonly log: Log;
  readonly progress: Progress;
}

export interface RestoredSnapshot {
  /** Absolute path of the snapshot file, byte for byte as etcd sent it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly revision: bigint;
  /** Where it came from; undefined for a local file. */
  readonly source: { readonly repository: string; readonly manifest: Manifest } | undefined;
}

/**
 * Writes the snapshot of a backup to `target`, which must not exist and appears only once all of it is proved.
 * Repositories are tried in order: one that cannot be read, or is damaged, falls through to the next.
 */
export async function restoreToFile(
  parts: RestoreParts,
  cluster: string,
  reference: string,
  target: string,
  signal: AbortSignal,
): Promise<RestoredSnapshot> {
  const failures: WardenError[] = [];
  for (const repository of parts.repositories) {
    // A new file for each try: what a damaged repository gave must not be in it. Its own failure ends the restore.
    await using file = await parts.files.create(target, signal);
    try {
      return await restoreFrom(parts, repository, cluster, reference, file, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toWardenError(thrown);
      if (error.code === 'file-failed' || error.code === 'target-exists') throw error;
      failures.push(error);
      parts.log.warn('repository could not serve', {
        repository: repository.name,
        code: error.code,
        reason: error.message,
      });
    }
  }
  throw noRepositoryServed(failures);
}

/** The same for a local file: a snapshot as etcdctl saves it, or one in any stored form. */
export async function restoreLocalFile(
  parts: Pick<RestoreParts, 'identities' | 'files' | 'progress'>,
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<RestoredSnapshot> {
  await using file = await parts.files.create(target, signal);
  const { snapshot } = await openFile(parts.files.read(source, signal), parts.identities, signal);
  const inspector = createInspector();
  let doneBytes = 0;
  parts.progress({ kind: 'stage', text: `restoring ${source}` });
  for await (const block of snapshot) {
    signal.throwIfAborted();
    inspector.write(block);
    await file.write(block);
    doneBytes += block.length;
    parts.progress({ kind: 'bytes', doneBytes, totalBytes: undefined });
  }
  const inspection = inspector.finish();
  proveSound(inspection);
  await file.commit();
  const { sizeBytes, sha256, revision } = inspection;
  return { path: file.path, sizeBytes, sha256, revision, source: undefined };
}

async function restoreFrom(
  { identities, encrypts, log, progress }: RestoreParts,
  repository: Repository,
  cluster: string,
  reference: string,
  file: NewFile,
  signal: AbortSignal,
): Promise<RestoredSnapshot> {
  const [entry] = await selectBackups(repository, cluster, { kind: 'references', references: [reference] }, signal);
  if (entry === undefined)
    throw new WardenError('backup-not-found', `repository ${repository.name} holds no ${reference}`);
  const { place } = entry;
  progress({ kind: 'stage', text: `restoring ${place.id.text} from ${repository.name}` });
  const manifest = await readManifest(repository.store, place, signal);
  warnIfUnsealed(manifest, encrypts, repository.name, log);
  const { sizeBytes, sha256, revision } = manifest.snapshot;
  await using body = await repository.store.read(objectKey(place, manifest.stored.object), {}, signal);
  let doneBytes = 0;
  for await (const block of readStored(body, manifest, identities, signal)) {
    await file.write(block);
    doneBytes += block.length;
    progress({ kind: 'bytes', doneBytes, totalBytes: sizeBytes });
  }
  await file.commit();
  return {
    path: file.path,
    sizeBytes,
    sha256,
    revision: BigInt(revision),
    source: { repository: repository.name, manifest },
  };
}

function noRepositoryServed(failures: readonly WardenError[]): WardenError {
  const [first, ...others] = failures;
  if (first === undefined) return new WardenError('backup-not-found', 'no repository is configured');
  return combineFailures([first, ...others], { summary: 'no repository could serve' });
}
