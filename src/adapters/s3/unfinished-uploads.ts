import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import type { UnfinishedUpload } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { abortMultipart, type MultipartUpload } from './multipart.ts';
import { decodeName, followPages, wrongListing } from './pages.ts';

/** The open uploads under keys below `prefix`, of whichever process. */
export async function* unfinishedUploads(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<UnfinishedUpload> {
  for await (const upload of openUploads(bucket, bucket.names.nameOf(prefix), signal)) {
    const key = bucket.names.keyOf(upload.name);
    if (key === undefined) continue;
    if (upload.initiatedAt === undefined) throw wrongListing(bucket, `the upload of ${key} lacks its time`);
    yield {
      key,
      touchedAt: upload.initiatedAt,
      abort: (abortSignal) => abortMultipart(bucket, upload, abortSignal),
    };
  }
}

/** Aborts every open upload under this very name: for one whose id never reached us. */
export async function abortUploads(bucket: Bucket, name: string, signal: AbortSignal): Promise<void> {
  for await (const upload of openUploads(bucket, name, signal)) {
    // The prefix lets longer names through, which are a stranger's.
    if (upload.name === name) await abortMultipart(bucket, upload, signal);
  }
}

interface OpenUpload extends MultipartUpload {
  readonly initiatedAt: Date | undefined;
}

/** Only names that start with `prefix`, also where a store knows no prefix in this listing. */
async function* openUploads(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<OpenUpload> {
  for await (const page of uploadPages(bucket, prefix, signal)) {
    for (const { Key: listed, UploadId: uploadId, Initiated: initiatedAt } of page.Uploads ?? []) {
      if (!listed || !uploadId) throw wrongListing(bucket, 'an upload lacks its key or its id');
      const name = decodeName(bucket, page, listed);
      if (name.startsWith(prefix)) yield { name, uploadId, initiatedAt };
    }
  }
}

function uploadPages(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListMultipartUploadsCommandOutput> {
  const asked = { Bucket: bucket.options.bucket, Prefix: prefix, EncodingType: 'url' as const };
  return followPages(
    bucket,
    {
      operation: 'ListMultipartUploads',
      prefix,
      send: (client, options, place) => client.send(new ListMultipartUploadsCommand({ ...asked, ...place }), options),
      countEntries: (page) => page.Uploads?.length ?? 0,
      placeAfter: (page) =>
        page.NextKeyMarker
          ? {
              KeyMarker: decodeName(bucket, page, page.NextKeyMarker),
              ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }),
            }
          : undefined,
    },
    signal,
  );
}
