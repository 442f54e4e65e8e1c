import { GetBucketVersioningCommand } from '@aws-sdk/client-s3';
import { isWardenError } from '../../errors/warden-error.ts';
import type { Bucket } from './bucket.ts';

/**
 * Whether the bucket keeps old versions, also where that was suspended: then older ones are still there. Asked once.
 * Where the store does not tell, it counts as a plain bucket, unless objects are locked: only versioned buckets can.
 */
export async function keepsVersions(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  bucket.learned.keepsVersions ??= await askWhetherVersioned(bucket, signal);
  return bucket.learned.keepsVersions;
}

async function askWhetherVersioned(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  const command = new GetBucketVersioningCommand({ Bucket: bucket.options.bucket });
  const about = { operation: 'GetBucketVersioning' };
  try {
    const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    return answer.Status !== undefined;
  } catch (error) {
    // A failure that may pass, or that every request would meet, must not be taken for an answer.
    if (!isWardenError(error, 'store-access-denied', 'store-refused', 'store-object-missing')) throw error;
    return bucket.options.objectLock !== undefined;
  }
}
