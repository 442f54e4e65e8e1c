import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type _Object } from '@aws-sdk/client-s3';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { compareKeys } from '../store-layers/compare-keys.ts';
import type { Bucket } from './bucket.ts';
import { retentionMs } from './default-retention.ts';
import { storageClassOf } from './stat-object.ts';
import { decodeName, followPages, wrongListing } from './pages.ts';

/** Every object below `prefix`, page after page. A listing that cannot be whole or in order is an error, never short. */
export async function* listObjects(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  const lockedForMs = await retentionMs(bucket, signal);
  let last: string | undefined;
  for await (const page of objectPages(bucket, bucket.names.nameOf(prefix), signal)) {
    for (const object of page.Contents ?? []) {
      const info = toObjectInfo(bucket, page, object, lockedForMs);
      if (info === undefined) continue;
      if (!info.key.startsWith(prefix)) {
        throw wrongListing(bucket, `it holds ${info.key}, which is not below ${prefix}`);
      }
      if (last !== undefined && compareKeys(last, info.key) >= 0) {
        throw unorderedListing(bucket, `${info.key} comes after ${last}`);
      }
      last = info.key;
      yield info;
    }
  }
}

function objectPages(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<ListObjectsV2CommandOutput> {
  // Names may hold characters that XML cannot.
  const asked = { Bucket: bucket.options.bucket, Prefix: prefix, EncodingType: 'url' as const };
  return followPages(
    bucket,
    {
      operation: 'ListObjectsV2',
      prefix,
      send: (client, options, place) => client.send(new ListObjectsV2Command({ ...asked, ...place }), options),
      countEntries: (page) => page.Contents?.length ?? 0,
      placeAfter: ({ NextContinuationToken: token }) => (token ? { ContinuationToken: token } : undefined),
    },
    signal,
  );
}

function toObjectInfo(
  bucket: Bucket,
  page: ListObjectsV2CommandOutput,
  object: _Object,
  lockedForMs: number,
): ObjectInfo | undefined {
  const { Key: name, Size: sizeBytes, LastModified: modifiedAt } = object;
  if (name === undefined || sizeBytes === undefined || modifiedAt === undefined) {
    throw wrongListing(bucket, 'an entry lacks its key, size or time');
  }
  const key = bucket.names.keyOf(decodeName(bucket, page, name));
  if (key === undefined) return undefined;
  const storageClass = storageClassOf(object.StorageClass);
  return { key, sizeBytes, modifiedAt, lockedUntil: estimateLock(modifiedAt, lockedForMs), storageClass };
}

/**
 * A listing tells nothing of locks, so this takes every object for one that was locked when it was written. It is too late
 * for what was created `removable`, and knows nothing of holds or of options changed since.
 */
function estimateLock(modifiedAt: Date, lockedForMs: number): Date | undefined {
  return lockedForMs === 0 ? undefined : new Date(modifiedAt.getTime() + lockedForMs);
}

/** No passing fault: such a store lists in the same way the next time. */
function unorderedListing(bucket: Bucket, what: string): WardenError {
  return new WardenError(
    'store-refused',
    `The listing of ${bucket.description} is not in the order of the keys' bytes: ${what}.`,
    {
      // Source: Amazon S3 API reference, ListObjectsV2: "Directory buckets - ... not returned in lexicographical order".
      hint: 'Use a bucket of another kind: directory buckets (S3 Express One Zone) list without order and are not supported.',
    },
  );
}
