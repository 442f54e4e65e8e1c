import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { isWardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';

/** undefined where nothing is stored under `key`. Locks are the object's own, as far as the role may see them. */
export async function statObject(bucket: Bucket, key: string, signal: AbortSignal): Promise<ObjectInfo | undefined> {
  const name = bucket.names.nameOf(key);
  const command = new HeadObjectCommand({ Bucket: bucket.options.bucket, Key: name });
  const about = { operation: 'HeadObject', name };
  try {
    const head = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    return {
      key,
      sizeBytes: head.ContentLength ?? 0,
      modifiedAt: head.LastModified ?? new Date(0),
      lockedUntil: head.ObjectLockRetainUntilDate,
      hasLegalHold: head.ObjectLockLegalHoldStatus === 'ON',
      storageClass: storageClassOf(head.StorageClass),
    };
  } catch (error) {
    if (isWardenError(error, 'store-object-missing')) return undefined;
    throw error;
  }
}

/** S3 leaves the ordinary class out of some answers and names it in others. */
export function storageClassOf(named: string | undefined): string | undefined {
  return named === undefined || named === '' || named === 'STANDARD' ? undefined : named;
}
