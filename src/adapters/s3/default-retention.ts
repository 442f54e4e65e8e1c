import { GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';

const dayMs = 86_400_000;

/**
 * How long objects are locked after they were written, by the store's options or else by the bucket's own default; 0 where
 * they are not, or where the bucket does not tell. Asked once.
 */
export async function retentionMs(bucket: Bucket, signal: AbortSignal): Promise<number> {
  const { objectLock } = bucket.options;
  if (objectLock !== undefined) return objectLock.retainMs;
  bucket.learned.defaultRetentionMs ??= await askForDefault(bucket, signal);
  return bucket.learned.defaultRetentionMs;
}

async function askForDefault(bucket: Bucket, signal: AbortSignal): Promise<number> {
  const command = new GetObjectLockConfigurationCommand({ Bucket: bucket.options.bucket });
  const about = { operation: 'GetObjectLockConfiguration' };
  try {
    const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    const { Days = 0, Years = 0 } = answer.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
    return (Days + 365 * Years) * dayMs;
  } catch (error) {
    // Without object lock the answer is an error; and it is an estimate only, never worth to fail for.
    if (signal.aborted) throw error;
    return 0;
  }
}
