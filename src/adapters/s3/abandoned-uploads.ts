import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';
import { abortMultipart, type MultipartUpload } from './multipart.ts';

interface OpenUpload extends MultipartUpload {
  readonly startedAt: Date;
}

/** Aborts the open uploads that `isAbandoned` picks among those whose name starts with `prefix`; resolves to their number. */
export async function abortUploads(
  bucket: Bucket,
  prefix: string,
  isAbandoned: (upload: OpenUpload) => boolean,
  signal: AbortSignal,
): Promise<number> {
  let aborted = 0;
  for await (const upload of openUploads(bucket, prefix, signal)) {
    if (!isAbandoned(upload)) continue;
    await abortMultipart(bucket, upload, signal);
    aborted += 1;
  }
  return aborted;
}

async function* openUploads(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<OpenUpload> {
  let after: Markers | undefined = {};
  while (after !== undefined) {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket.options.bucket, Prefix: prefix, ...after });
    const page: ListMultipartUploadsCommandOutput = await bucket.ask(
      { operation: 'ListMultipartUploads', name: prefix },
      (client, options) => client.send(command, options),
      signal,
    );
    for (const { Key: name, UploadId: uploadId, Initiated: startedAt } of page.Uploads ?? []) {
      // A store that does not keep to the prefix must not make us abort a stranger's upload.
      if (name?.startsWith(prefix) && uploadId && startedAt) yield { name, uploadId, startedAt };
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
