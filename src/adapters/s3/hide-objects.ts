import { WardenError } from '../../errors/warden-error.ts';
import type { RemovalOutcome } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { deleteTargets } from './delete-targets.ts';
import { inParallel } from './in-parallel.ts';
import { findLock } from './object-locks.ts';
import { explainRefusal } from './refused-deletion.ts';

/**
 * Puts a delete marker over each object of a versioned bucket, where the role may not delete versions: their bytes stay. A
 * lock does not forbid that, but what is locked must go on reading as it does, so locks are looked at first.
 */
export async function hideObjects(
  bucket: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RemovalOutcome>> {
  const { concurrency } = bucket.options;
  const outcomes = new Map<string, RemovalOutcome>();
  const toHide: { readonly name: string }[] = [];
  await inParallel(names, concurrency, async (name) => {
    const outcome = await reasonNotToHide(bucket, name, signal);
    if (outcome === undefined) toHide.push({ name });
    else outcomes.set(name, outcome);
  });
  await inParallel(await deleteTargets(bucket, toHide, signal), concurrency, async ({ target, error }) => {
    const outcome: RemovalOutcome =
      error === undefined
        ? { kind: 'removed', isKeptAsVersion: true }
        : await explainRefusal(bucket, { target, error }, 's3:DeleteObjectVersion and s3:DeleteObject', signal);
    outcomes.set(target.name, outcome);
  });
  return outcomes;
}

async function reasonNotToHide(bucket: Bucket, name: string, signal: AbortSignal): Promise<RemovalOutcome | undefined> {
  const lock = await findLock(bucket, { name }, signal);
  if (lock.kind === 'locked' || lock.kind === 'failed') return lock;
  // Another marker over a marker would only be one more version.
  if (lock.kind === 'missing') return { kind: 'removed', isKeptAsVersion: lock.isHidden };
  if (lock.kind === 'unlocked' || bucket.options.objectLock === undefined) return undefined;
  return { kind: 'failed', error: lockUnseen(bucket, name) };
}

function lockUnseen(bucket: Bucket, name: string): WardenError {
  return new WardenError(
    'store-access-denied',
    `s3://${bucket.options.bucket}/${name} may be locked, which the role may not see: it lacks s3:GetObjectRetention and s3:GetObjectLegalHold, and s3:DeleteObjectVersion to remove it`,
  );
}
