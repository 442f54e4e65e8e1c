import { randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeFormat, sniffFormat } from '../../src/snapshot/formats.ts';
import { assertSealed } from '../../src/snapshot/require-sealed.ts';

/** A bolt file's first two pages, the meta page's magic in both. */
function boltPages(pageSizeBytes: number): Buffer {
  const pages = Buffer.alloc(2 * pageSizeBytes);
  for (const page of [0, 1]) pages.writeUInt32LE(0xed0cdaed, page * pageSizeBytes + 16);
  return pages;
}

describe('sniffing a format', () => {
  const zip = Buffer.concat([Buffer.from('PK\x03\x04\x14\x00\x00\x00\x08\x00', 'latin1'), deflateRawSync('x')]);

  // field: F009
  it.each([
    ['encryption-sdk-message', Buffer.from('020578', 'hex')],
    ['encryption-sdk-message', Buffer.from('020478', 'hex')],
    ['zstd', zstdCompressSync('snapshot')],
    ['bolt', boltPages(4096)],
    ['gzip', gzipSync('snapshot')],
    ['zip', zip],
    ['text', Buffer.from('{"kind": "List"}\n')],
    ['unknown', Buffer.from([0, 1, 2, 3])],
    ['unknown', Buffer.alloc(0)],
  ] as const)('knows %s', (format, bytes) => {
    expect(sniffFormat(bytes)).toBe(format);
    expect(describeFormat(format)).not.toBe('');
  });

  it.each([4096, 8192, 16384, 65536])(
    'knows a bolt file with %i byte pages whose first meta page is gone',
    (pageSizeBytes) => {
      const pages = boltPages(pageSizeBytes);
      randomBytes(1024).copy(pages);
      pages.writeUInt32BE(0, 0);
      expect(sniffFormat(pages)).toBe('bolt');
    },
  );
});

describe('the last look before an upload', () => {
  // field: F138
  it.each([
    ['a bolt database', boltPages(4096)],
    ['zstd data', zstdCompressSync('snapshot')],
    ['an unknown format', Buffer.from([2])],
  ])('lets no %s pass where encryption is configured', (found, block) => {
    expect(() => assertSealed(block)).toThrow(expect.objectContaining({ code: 'not-encrypted' }) as Error);
    expect(() => assertSealed(block)).toThrow(found);
  });

  it('lets the start of an encrypted message pass', () => {
    expect(() => assertSealed(Buffer.from('0205780102', 'hex'))).not.toThrow();
  });
});
