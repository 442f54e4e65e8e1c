import { isWardenError, type WardenError } from '../../errors/warden-error.ts';
import type { RemovalOutcome } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { deleteTargets } from './delete-targets.ts';
import { hideObjects } from './hide-objects.ts';
import { inParallel } from './in-parallel.ts';
import { listVersions, type ObjectVersion } from './list-versions.ts';
import { explainRefusal, type Refusal } from './refused-deletion.ts';

/**
 * Removes every version and every delete marker of these names. A deletion by name alone would hide an object under a
 * marker and keep its bytes, and a marker that goes before what it hides would bring that back. So the latest goes last, and
 * only if all before it went: whatever forbids one of them, the name reads as it did.
 */
export async function removeVersions(
  bucket: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RemovalOutcome>> {
  const versions = await versionsUnlessDenied(bucket, names, signal);
  if (versions === undefined) return hideObjects(bucket, names, signal);
  const all = [...versions.values()].flat();
  const refusals = new Map<string, Refusal[]>();
  const remove = async (targets: readonly ObjectVersion[]): Promise<void> => {
    for (const { target, error } of await deleteTargets(bucket, targets, signal)) {
      if (error !== undefined) refusals.set(target.name, [...(refusals.get(target.name) ?? []), { target, error }]);
    }
  };
  await remove(all.filter((version) => !version.isLatest));
  await remove(all.filter((version) => version.isLatest && !refusals.has(version.name)));

  const toHide: string[] = [];
  const outcomes = new Map<string, RemovalOutcome>();
  await inParallel(names, bucket.options.concurrency, async (name) => {
    const outcome = await explain(bucket, versions.get(name) ?? [], refusals.get(name) ?? [], signal);
    if (outcome === 'hide') toHide.push(name);
    else outcomes.set(name, outcome);
  });
  return new Map([...outcomes, ...(await hideObjects(bucket, toHide, signal))]);
}

/** undefined where the role may not list versions, or the store can't. */
async function versionsUnlessDenied(bucket: Bucket, names: readonly string[], signal: AbortSignal) {
  try {
    return await listVersions(bucket, names, signal);
  } catch (error) {
    if (isWardenError(error, 'store-access-denied') || isNotImplemented(error)) return undefined;
    throw error;
  }
}

function isNotImplemented(error: unknown): boolean {
  return isWardenError(error, 'store-refused') && [405, 501].includes(Number(error.details['httpStatus']));
}

/** `hide` where nothing but a right is missing: then the name can at least be made to read as gone. */
async function explain(
  bucket: Bucket,
  versions: readonly ObjectVersion[],
  refusals: readonly Refusal[],
  signal: AbortSignal,
): Promise<RemovalOutcome | 'hide'> {
  if (refusals.length === 0) return { kind: 'removed', isKeptAsVersion: false };
  const lockedUntil: (Date | undefined)[] = [];
  const failures: WardenError[] = [];
  for (const refusal of refusals) {
    const outcome = await explainRefusal(bucket, refusal, 's3:DeleteObjectVersion', signal);
    if (outcome.kind === 'locked') lockedUntil.push(outcome.until);
    else failures.push(outcome.error);
  }
  if (lockedUntil.length > 0) return { kind: 'locked', until: latestOf(lockedUntil) };
  const failure = failures.find((error) => error.code !== 'store-access-denied');
  if (failure !== undefined) return { kind: 'failed', error: failure };
  const isHidden = versions.some((version) => version.isLatest && version.isMarker);
  return isHidden ? { kind: 'removed', isKeptAsVersion: true } : 'hide';
}

/** undefined, a hold without an end, is later than every date. */
function latestOf(dates: readonly (Date | undefined)[]): Date | undefined {
  const times = dates.map((date) => date?.getTime() ?? Number.POSITIVE_INFINITY);
  const latest = Math.max(...times);
  return Number.isFinite(latest) ? new Date(latest) : undefined;
}
