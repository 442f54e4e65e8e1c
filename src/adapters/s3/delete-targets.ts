import { DeleteObjectCommand, DeleteObjectsCommand, type DeleteObjectsCommandOutput } from '@aws-sdk/client-s3';
import { isWardenError, toWardenError, type WardenError } from '../../errors/warden-error.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import type { About, Bucket } from './bucket.ts';
import { withBulkChecksum } from './checksums.ts';
import { inParallel } from './in-parallel.ts';
import { incompleteAnswer } from './not-s3.ts';

/** What one deletion is about. With a version id that version goes for good; without one, what the name reads as. */
export interface Target {
  /** In the bucket. */
  readonly name: string;
  readonly versionId?: string | undefined;
}

export interface Deletion {
  readonly target: Target;
  /** undefined where it was deleted, or was not there. */
  readonly error: WardenError | undefined;
  /** The bucket hid the object under a delete marker and keeps its bytes. */
  readonly madeMarker: boolean;
}

const operation = 'DeleteObjects';

/** Source: Amazon S3 API reference, DeleteObjects: "up to 1000 keys". */
const largestBatch = 1000;

/** Asks for the deletion of each target, in batches. Says of each what became of it; rejects only with `interrupted`. */
export async function deleteTargets(
  bucket: Bucket,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly Deletion[]> {
  const deletions: Deletion[] = [];
  for (let at = 0; at < targets.length; at += largestBatch) {
    deletions.push(...(await deleteBatch(bucket, targets.slice(at, at + largestBatch), signal)));
  }
  return deletions;
}

async function deleteBatch(bucket: Bucket, batch: readonly Target[], signal: AbortSignal): Promise<Deletion[]> {
  const singly = () => inParallel(batch, bucket.options.concurrency, (target) => deleteOne(bucket, target, signal));
  if (bucket.learned.refusesBulkDeletes === true) return singly();
  const Objects = batch.map(({ name: Key, versionId: VersionId }) => ({ Key, ...(VersionId && { VersionId }) }));
  const command = withBulkChecksum(
    new DeleteObjectsCommand({ Bucket: bucket.options.bucket, Delete: { Objects } }),
    bucket.options,
  );
  try {
    // Some stores delete a thousand objects one after the other before they say a word.
    const answer = await bucket.askPatiently(
      { operation, writes: true },
      (client, options) => client.send(command, options),
      signal,
      bucket.limits.requestMs,
    );
    return readAnswer(bucket, batch, answer);
  } catch (error) {
    throwIfInterrupted(signal);
    if (!isRefusedAsWhole(error)) return batch.map((target) => deletionOf(target, toWardenError(error)));
    bucket.learned.refusesBulkDeletes = true;
    return singly();
  }
}

/** A key of which the answer says nothing was not deleted: status 200 alone proves nothing. */
function readAnswer(bucket: Bucket, batch: readonly Target[], answer: DeleteObjectsCommandOutput): Deletion[] {
  const deleted = new Map((answer.Deleted ?? []).map((entry) => [identify(entry.Key, entry.VersionId), entry]));
  const refused = new Map((answer.Errors ?? []).map((entry) => [identify(entry.Key, entry.VersionId), entry]));
  return batch.map((target) => {
    const { name, versionId } = target;
    const id = identify(name, versionId);
    const said = refused.get(id);
    const done = deleted.get(id);
    if (said !== undefined) return deletionOf(target, bucket.toKeyError(said, { operation, name }));
    if (done === undefined) return deletionOf(target, incompleteAnswer(operation, name, 'this key'));
    return deletionOf(target, undefined, done.DeleteMarker);
  });
}

function identify(name = '', versionId = ''): string {
  return JSON.stringify([name, versionId]);
}

async function deleteOne(bucket: Bucket, target: Target, signal: AbortSignal): Promise<Deletion> {
  const { name, versionId } = target;
  const command = new DeleteObjectCommand({
    Bucket: bucket.options.bucket,
    Key: name,
    ...(versionId !== undefined && { VersionId: versionId }),
  });
  const about: About = { operation: 'DeleteObject', name };
  try {
    const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    return deletionOf(target, undefined, answer.DeleteMarker);
  } catch (error) {
    throwIfInterrupted(signal);
    return deletionOf(target, toWardenError(error));
  }
}

function deletionOf(target: Target, error: WardenError | undefined, isMarker = false): Deletion {
  return {
    target,
    error: isWardenError(error, 'store-object-missing') ? undefined : error,
    // With a version id it was a marker that went.
    madeMarker: isMarker && target.versionId === undefined,
  };
}

/** Refusals that are about no key. Those that single deletions would meet as well have codes of their own. */
function isRefusedAsWhole(error: unknown): boolean {
  return isWardenError(error, 'store-refused', 'store-access-denied', 'store-checksum-refused', 'store-object-missing');
}
