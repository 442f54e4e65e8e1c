import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { abortUploads } from './unfinished-uploads.ts';
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

/** A write that was cut off can still land; stores need a moment for it. Waits before each look, in milliseconds. */
const looksAfterCutOff = [0, 500, 1500, 3000];
const onlyOnce = [0];

/**
 * Clears away what an upload left. It has a time limit of its own, since the caller's signal is aborted by now, and
 * never rejects: the error that ended the upload matters more. What stays is reported by `onLeftover`.
 */
export async function clearAway(bucket: Bucket, left: Leftovers): Promise<void> {
  const signal = AbortSignal.timeout(bucket.limits.cleanupMs);
  let mayHaveParts = left.multipart !== undefined || left.mayHaveBegun;
  try {
    if (left.multipart !== undefined) await abortMultipart(bucket, left.multipart, signal);
    // Names carry random bits, so an upload under this very name is ours.
    if (left.mayHaveBegun) await abortUploads(bucket, left.name, signal);
    mayHaveParts = false;
    if (left.mayHaveLanded) {
      // Once its upload is gone a completion can't land any more; a PutObject can.
      const looks = left.multipart === undefined ? looksAfterCutOff : onlyOnce;
      await removeIfItLands(bucket, left.name, left.mark, looks, signal);
    }
  } catch (error) {
    bucket.options.onLeftover?.(leftoverError(bucket, { ...left, mayHaveParts }, error, signal));
  }
}

/** The message itself says what to do: a log line carries no hint. */
function leftoverError(
  bucket: Bucket,
  { name, mayHaveParts, mayHaveLanded }: Leftovers & { readonly mayHaveParts: boolean },
  reason: unknown,
  signal: AbortSignal,
): WardenError {
  const why = signal.aborted ? `not done within ${bucket.limits.cleanupMs} ms` : toWardenError(reason).message;
  const what = [
    ...(mayHaveParts
      ? ['parts, which `etcd-warden prune` or a lifecycle rule with AbortIncompleteMultipartUpload clears away']
      : []),
    ...(mayHaveLanded ? ['the object, which is safe to remove'] : []),
  ];
  const place = `s3://${bucket.options.bucket}/${name}`;
  return new WardenError(
    'store-failed',
    `The aborted upload of ${place} may have left ${what.join('; and ')}: ${why}`,
    {
      cause: reason,
    },
  );
}
