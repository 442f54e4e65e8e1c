import { createHash } from 'node:crypto';
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
  return { ContentMD5: createHash('md5').update(body).digest('base64') };
}
