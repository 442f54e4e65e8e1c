import { WardenError } from '../../errors/warden-error.ts';

const mib = 1024 ** 2;

/** S3 refuses smaller parts, the last one excepted, and more parts. Source: Amazon S3 user guide, "Multipart upload limits". */
const minPartBytes = 5 * mib;
const maxParts = 10_000;

/** Below it requests cost more than they carry. */
const comfortablePartBytes = 8 * mib;

/** Leaves room for a stream that turns out a little longer than thought. */
const plannedParts = 9500;

/** Bytes a part of an upload of at most `maxBytes`. */
export function partSizeFor(maxBytes: number, configured: number | 'auto'): number {
  if (configured === 'auto') return Math.max(comfortablePartBytes, Math.ceil(maxBytes / plannedParts / mib) * mib);
  if (configured < minPartBytes) {
    throw new WardenError(
      'store-refused',
      `partSize must be at least 5MiB, the least that S3 takes; it is ${configured} bytes.`,
    );
  }
  if (configured * maxParts < maxBytes) {
    throw new WardenError(
      'store-refused',
      `partSize of ${configured} bytes allows ${configured * maxParts} bytes in the 10000 parts that S3 takes; up to ${maxBytes} may come.`,
      { hint: 'Set store.partSize to auto, or to more.' },
    );
  }
  return configured;
}
