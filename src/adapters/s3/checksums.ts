import { createHash } from 'node:crypto';
import type { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { crc32c } from '@node-rs/crc32';
import type { S3StoreOptions } from './options.ts';

/**
 * The checksum header of one body, always one of them: a write with a retention period must carry some, and over plain http
 * nothing else would notice bytes that changed on their way. CRC-32C goes as four bytes, most significant first, in base64.
 * Source: Amazon S3 user guide, "Checking object integrity". Content-MD5 is older than all checksum headers: every store
 * takes it.
 */
export function checksumHeaders(
  body: Uint8Array,
  { checksums }: Pick<S3StoreOptions, 'checksums'>,
): { ChecksumCRC32C?: string; ContentMD5?: string } {
  if (checksums === 'when-supported') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32c(body));
    return { ChecksumCRC32C: bytes.toString('base64') };
  }
  return { ContentMD5: md5Of(body) };
}

/**
 * Gives DeleteObjects, whose body the SDK writes and for which S3 demands a checksum, the same kind of header. The SDK knows
 * no Content-MD5 any more and adds a checksum header whatever its settings say, so both are set right after it.
 */
export function withBulkChecksum(
  command: DeleteObjectsCommand,
  { checksums }: Pick<S3StoreOptions, 'checksums'>,
): DeleteObjectsCommand {
  if (checksums === 'when-supported') {
    command.input.ChecksumAlgorithm = 'CRC32C';
    return command;
  }
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string>; body: string | Uint8Array };
      const kept = Object.entries(request.headers).filter(([name]) => !/^x-amz-(sdk-)?checksum-/i.test(name));
      request.headers = { ...Object.fromEntries(kept), 'content-md5': md5Of(request.body) };
      return next(args);
    },
    // After the SDK's own checksum, before the signature.
    { name: 'contentMd5', step: 'build', priority: 'low' },
  );
  return command;
}

function md5Of(body: string | Uint8Array): string {
  return createHash('md5').update(body).digest('base64');
}
