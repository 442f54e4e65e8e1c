import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { RemovalOutcome } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import type { Bucket } from './bucket.ts';
import { keepsVersions } from './bucket-versioning.ts';
import { deleteTargets } from './delete-targets.ts';
import { inParallel } from './in-parallel.ts';
import { explainRefusal } from './refused-deletion.ts';
import { removeVersions } from './remove-versions.ts';

/** Removes objects so that nothing of them is left, each on its own; outcomes in the order of `keys`. */
export async function removeObjects(
  bucket: Bucket,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly RemovalOutcome[]> {
  throwIfInterrupted(signal);
  if (keys.length === 0) return [];
  const names = keys.map((key) => bucket.names.nameOf(key));
  const outcomeOf = await removeNames(bucket, [...new Set(names)], signal);
  return names.map(outcomeOf);
}

async function removeNames(
  bucket: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<(name: string) => RemovalOutcome> {
  try {
    const remove = (await keepsVersions(bucket, signal)) ? removeVersions : removePlainly;
    const outcomes = await remove(bucket, names, signal);
    return (name) =>
      outcomes.get(name) ?? { kind: 'failed', error: new WardenError('internal', `${name} was left out.`) };
  } catch (error) {
    throwIfInterrupted(signal);
    return () => ({ kind: 'failed', error: toWardenError(error) });
  }
}

async function removePlainly(
  bucket: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RemovalOutcome>> {
  const deletions = await deleteTargets(
    bucket,
    names.map((name) => ({ name })),
    signal,
  );
  if (deletions.some(({ madeMarker }) => madeMarker)) bucket.learned.keepsVersions = true;
  const outcomes = await inParallel(deletions, bucket.options.concurrency, async ({ target, error, madeMarker }) => {
    const outcome: RemovalOutcome =
      error === undefined
        ? { kind: 'removed', isKeptAsVersion: madeMarker }
        : await explainRefusal(bucket, { target, error }, 's3:DeleteObject', signal);
    return [target.name, outcome] as const;
  });
  return new Map(outcomes);
}
