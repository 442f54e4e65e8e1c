import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { abortUploads } from './abandoned-uploads.ts';
import type { Bucket } from './bucket.ts';
import { abortMultipart, type MultipartUpload } from './multipart.ts';
import { removeIfItLands } from './write-once.ts';

/** What an upload that was given up may have left in the bucket. */
export interface Leftovers {
  readonly name: string;
  readonly mark: string;
  readonly multipart: MultipartUpload | undefined;
  /** CreateMultipartUpload was sent and its answer never came. */
  readonly mayHaveBegun: boolean;
  /** The object was being made visible and the answer never came. */
  readonly mayHaveLanded: boolean;
}

/**
 * Clears away what an upload left. It has a time limit of its own, since the caller's signal is aborted by now, and
 * never rejects: the error that ended the upload matters more. What stays is reported by `onLeftover`.
 */
export async function clearAway(bucket: Bucket, left: Leftovers): Promise<void> {
  const signal = AbortSignal.timeout(bucket.limits.cleanupMs);
  const steps: Promise<unknown>[] = [];
  if (left.multipart !== undefined) steps.push(abortMultipart(bucket, left.multipart, signal));
  // Names carry random bits, so an upload under this very name is ours.
  const isOurs = (upload: MultipartUpload) => upload.name === left.name;
  if (left.mayHaveBegun) steps.push(abortUploads(bucket, left.name, isOurs, signal));
  if (left.mayHaveLanded) steps.push(removeIfItLands(bucket, left.name, left.mark, signal));
  for (const step of await Promise.allSettled(steps)) {
    if (step.status === 'rejected') bucket.options.onLeftover?.(leftoverError(bucket, left, step.reason, signal));
  }
}

function leftoverError(bucket: Bucket, left: Leftovers, reason: unknown, signal: AbortSignal): WardenError {
  const why = signal.aborted ? `not done within ${bucket.limits.cleanupMs} ms` : toWardenError(reason).message;
  return new WardenError(
    'store-failed',
    `The aborted upload of s3://${bucket.options.bucket}/${left.name} may have left something: ${why}`,
    {
      cause: reason,
      hint: 'A later run of prune clears it away.',
    },
  );
}
