import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Bucket } from './bucket.ts';
import { checksumHeaders } from './checksums.ts';
import { cleanupRetry } from './cleanup-retry.ts';
import { isAnswer } from './errors.ts';
import { incompleteAnswer } from './not-s3.ts';
import { objectHeaders } from './write-once.ts';

/** One multipart upload of the store: its name in the bucket and the id that S3 gave it. */
export interface MultipartUpload {
  readonly name: string;
  readonly uploadId: string;
}

export async function beginMultipart(
  bucket: Bucket,
  name: string,
  mark: string,
  signal: AbortSignal,
): Promise<MultipartUpload> {
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket.options.bucket,
    Key: name,
    ...objectHeaders(bucket.options, mark),
    ...(bucket.options.checksums === 'when-supported' && { ChecksumAlgorithm: 'CRC32C' as const }),
  });
  const about = { operation: 'CreateMultipartUpload', name, writes: true };
  const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
  if (!answer.UploadId) throw incompleteAnswer('CreateMultipartUpload', name, 'an upload id');
  return { name, uploadId: answer.UploadId };
}

export async function sendPart(
  bucket: Bucket,
  upload: MultipartUpload,
  partNumber: number,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const checksum = checksumHeaders(body, bucket.options);
  const command = new UploadPartCommand({
    ...addressOf(bucket, upload),
    PartNumber: partNumber,
    Body: body,
    ContentLength: body.length,
    ...checksum,
  });
  const about = { operation: `UploadPart ${partNumber}`, name: upload.name, writes: true };
  const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
  if (!answer.ETag) throw incompleteAnswer('UploadPart', upload.name, 'an ETag');
  return {
    PartNumber: partNumber,
    ETag: answer.ETag,
    ...(checksum.ChecksumCRC32C !== undefined && { ChecksumCRC32C: checksum.ChecksumCRC32C }),
  };
}

/** Create-only. The status line proves nothing: S3 sends 200 first and may put an error, or nothing, into the body. */
export async function completeMultipart(
  bucket: Bucket,
  upload: MultipartUpload,
  parts: readonly CompletedPart[],
  signal: AbortSignal,
): Promise<void> {
  const command = new CompleteMultipartUploadCommand({
    ...addressOf(bucket, upload),
    IfNoneMatch: '*',
    MultipartUpload: { Parts: [...parts] },
  });
  const about = { operation: 'CompleteMultipartUpload', name: upload.name, writes: true };
  const answer = await bucket.askPatiently(
    about,
    (client, options) => client.send(command, options),
    signal,
    bucket.limits.completeMs,
  );
  if (!answer.ETag) throw incompleteAnswer('CompleteMultipartUpload', upload.name, 'an ETag');
}

/**
 * Aborts until no part is left: a part that was on its way when the upload was aborted can be stored after that.
 * Source: Amazon S3 API reference, AbortMultipartUpload. Where the role may not list parts, the abort's answer counts.
 */
export async function abortMultipart(bucket: Bucket, upload: MultipartUpload, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand(addressOf(bucket, upload));
  const about = { operation: 'AbortMultipartUpload', name: upload.name };
  await cleanupRetry(async () => {
    try {
      await bucket.ask(about, (client, options) => client.send(command, options), signal);
    } catch (error) {
      if (isAnswer(error, 'NoSuchUpload')) return;
      throw error;
    }
    const left = await countParts(bucket, upload, signal);
    if (left === 0) return;
    throw new WardenError('store-failed', `${left} parts of the aborted upload of ${upload.name} are still stored.`);
  }, signal);
}

async function countParts(bucket: Bucket, upload: MultipartUpload, signal: AbortSignal): Promise<number> {
  const command = new ListPartsCommand(addressOf(bucket, upload));
  const about = { operation: 'ListParts', name: upload.name };
  try {
    const answer = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    return answer.Parts?.length ?? 0;
  } catch (error) {
    const isSettled =
      isAnswer(error, 'NoSuchUpload') || isWardenError(error, 'store-access-denied', 'store-object-missing');
    if (isSettled) return 0;
    throw error;
  }
}

function addressOf(bucket: Bucket, upload: MultipartUpload) {
  return { Bucket: bucket.options.bucket, Key: upload.name, UploadId: upload.uploadId };
}
