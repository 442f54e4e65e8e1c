import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type _Object } from '@aws-sdk/client-s3';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { compareKeys } from '../store-layers/compare-keys.ts';
import type { Bucket } from './bucket.ts';
import { incompleteAnswer } from './not-s3.ts';

/** Every object below `prefix`, page after page. A listing that cannot be whole or in order is an error, never short. */
export async function* listObjects(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  const listed = bucket.names.nameOf(prefix);
  let token: string | undefined;
  let last: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await askForPage(bucket, listed, token, signal);
    for (const object of page.Contents ?? []) {
      const info = toObjectInfo(bucket, object, page.EncodingType === 'url');
      if (info === undefined) continue;
      if (!info.key.startsWith(prefix))
        throw wrongListing(bucket, `it holds ${info.key}, which is not below ${prefix}`);
      if (last !== undefined && compareKeys(last, info.key) >= 0) {
        throw unorderedListing(bucket, `${info.key} comes after ${last}`);
      }
      last = info.key;
      yield info;
    }
    token = nextToken(bucket, page, token);
  } while (token !== undefined);
}

async function askForPage(
  bucket: Bucket,
  prefix: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<ListObjectsV2CommandOutput> {
  const command = new ListObjectsV2Command({
    Bucket: bucket.options.bucket,
    Prefix: prefix,
    // Names may hold characters that XML cannot.
    EncodingType: 'url',
    ...(token !== undefined && { ContinuationToken: token }),
  });
  const about = { operation: 'ListObjectsV2', name: prefix };
  const page = await bucket.ask(about, (client, options) => client.send(command, options), signal);
  // A web page must not pass for a bucket without objects: an empty listing says how many there are.
  if (Object.keys(page).every((field) => field === '$metadata')) {
    throw incompleteAnswer(about.operation, prefix, 'a listing');
  }
  return page;
}

function nextToken(bucket: Bucket, page: ListObjectsV2CommandOutput, token: string | undefined): string | undefined {
  if (page.IsTruncated !== true) return undefined;
  const next = page.NextContinuationToken;
  if (!next) throw wrongListing(bucket, 'it is cut short without saying how to go on');
  if (next === token) throw wrongListing(bucket, 'two pages name the same continuation');
  return next;
}

function toObjectInfo(bucket: Bucket, object: _Object, isEncoded: boolean): ObjectInfo | undefined {
  const { Key: name, Size: sizeBytes, LastModified: modifiedAt } = object;
  if (name === undefined || sizeBytes === undefined || modifiedAt === undefined) {
    throw wrongListing(bucket, 'an entry lacks its key, size or time');
  }
  const key = bucket.names.keyOf(isEncoded ? decodeName(bucket, name) : name);
  return key === undefined ? undefined : { key, sizeBytes, modifiedAt };
}

/** S3 writes a blank as `+`. */
function decodeName(bucket: Bucket, name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    throw wrongListing(bucket, `${name} is said to be URL-encoded and is not`);
  }
}

function wrongListing(bucket: Bucket, what: string): WardenError {
  return new WardenError('store-failed', `The listing of ${bucket.description} is not as it should be: ${what}.`);
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
