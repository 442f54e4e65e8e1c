import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import type { S3StoreOptions } from './options.ts';

/**
 * Checksum headers for one body. CRC-32C goes as four bytes, most significant first, in base64.
 * Source: Amazon S3 user guide, "Checking object integrity". Writes with a retention period must carry some checksum.
 */
export function checksumHeaders(
  body: Uint8Array,
  options: Pick<S3StoreOptions, 'checksums' | 'objectLock'>,
): { ChecksumCRC32C?: string; ContentMD5?: string } {
  if (options.checksums === 'when-supported') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32c(body));
    return { ChecksumCRC32C: bytes.toString('base64') };
  }
  if (options.objectLock === undefined) return {};
  return { ContentMD5: createHash('md5').update(body).digest('base64') };
}
