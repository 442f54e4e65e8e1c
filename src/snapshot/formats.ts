/** What the first bytes of an object or a file say it is. */
export type Format = 'encryption-sdk-message' | 'zstd' | 'bolt' | 'gzip' | 'zip' | 'text' | 'unknown';

const descriptions: Record<Format, string> = {
  'encryption-sdk-message': 'an AWS Encryption SDK message',
  'zstd': 'zstd data',
  'bolt': 'a bolt database',
  'gzip': 'gzip data',
  'zip': 'a zip archive',
  'text': 'text',
  'unknown': 'an unknown format',
};

/** For messages: "a zip archive". */
export const describeFormat = (format: Format): string => descriptions[format];

/** Judges by the first bytes: with 64 KiB and a little more, a bolt file is known by its second meta page, too. */
export function sniffFormat(head: Uint8Array): Format {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (isEncryptionMessage(view)) return 'encryption-sdk-message';
  if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (startsWith(head, 0x1f, 0x8b)) return 'gzip';
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04) || startsWith(head, 0x50, 0x4b, 0x05, 0x06)) return 'zip';
  if (isBolt(view)) return 'bolt';
  return isText(head) ? 'text' : 'unknown';
}

/**
 * Version 2 and a suite with key commitment, the only kind that is written or read here.
 * Source: AWS Encryption SDK developer guide, message format, header structure.
 */
export function isEncryptionMessage(view: DataView): boolean {
  if (view.byteLength < 3 || view.getUint8(0) !== 2) return false;
  const suite = view.getUint16(1);
  return suite === 0x0478 || suite === 0x0578;
}

/** A meta page holds bbolt's magic after its 16-byte page header; the first one may be damaged. Source: bbolt page.go, meta.go. */
function isBolt(view: DataView): boolean {
  const pageSizes = [0, 4096, 8192, 16384, 32768, 65536];
  return pageSizes.some((offset) => view.byteLength >= offset + 20 && view.getUint32(offset + 16, true) === 0xed0cdaed);
}

function isText(head: Uint8Array): boolean {
  const sample = head.subarray(0, 512);
  return sample.length > 0 && sample.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

const startsWith = (head: Uint8Array, ...magic: readonly number[]): boolean =>
  head.length >= magic.length && magic.every((byte, index) => head[index] === byte);
