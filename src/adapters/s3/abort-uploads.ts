import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';
import { abortMultipart, type MultipartUpload } from './multipart.ts';

/** Aborts every open upload under this very name: for one whose id never reached us. */
export async function abortUploads(bucket: Bucket, name: string, signal: AbortSignal): Promise<void> {
  for await (const upload of openUploads(bucket, name, signal)) await abortMultipart(bucket, upload, signal);
}

async function* openUploads(bucket: Bucket, name: string, signal: AbortSignal): AsyncGenerator<MultipartUpload> {
  let after: Markers | undefined = {};
  while (after !== undefined) {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket.options.bucket, Prefix: name, ...after });
    const page: ListMultipartUploadsCommandOutput = await bucket.ask(
      { operation: 'ListMultipartUploads', name },
      (client, options) => client.send(command, options),
      signal,
    );
    for (const { Key: listed, UploadId: uploadId } of page.Uploads ?? []) {
      // The prefix lets longer names through, which are a stranger's.
      if (listed === name && uploadId) yield { name, uploadId };
    }
    after = nextMarkers(page, after);
  }
}

interface Markers {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

/** Where the next page begins; undefined after the last one, and where a store would send us round in a circle. */
function nextMarkers(page: ListMultipartUploadsCommandOutput, after: Markers): Markers | undefined {
  const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
  if (IsTruncated !== true || !NextKeyMarker) return undefined;
  if (NextKeyMarker === after.KeyMarker && NextUploadIdMarker === after.UploadIdMarker) return undefined;
  return { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker && { UploadIdMarker: NextUploadIdMarker }) };
}
