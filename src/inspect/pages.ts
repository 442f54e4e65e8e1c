import type { ByteSpan } from './byte-span.ts';

/** Layout of bbolt's pages. Source: bbolt internal/common/page.go. Numbers are in the machine's order: little endian. */
export const pageHeaderBytes = 16;
export const elementBytes = 16;

export const pageType = { branch: 1, leaf: 2, meta: 4, freelist: 0x10 } as const;

/** Flag of a leaf element whose value is a bucket. */
export const bucketElement = 1;

/** Header of a bucket in front of its inline page: root page id and sequence. */
export const bucketHeaderBytes = 16;

/** Longest key that bbolt takes. Source: bbolt bucket.go, MaxKeySize. */
export const maxKeyBytes = 32768;

/**
 * Elements that a page with overflow can hold. Source: bbolt node.go, splitTwo and splitIndex: a node that is too big
 * for its page is split unless it has four elements or fewer, and its first half then holds two of the big ones.
 */
export const maxOverflowElements = 4;

export const readFlags = ({ view }: ByteSpan, page: number): number => view.getUint16(page + 8, true);
export const readCount = ({ view }: ByteSpan, page: number): number => view.getUint16(page + 10, true);
export const readOverflow = ({ view }: ByteSpan, page: number): number => view.getUint32(page + 12, true);

/** Whether the page header at `page` carries its own position. `id` is below 2^32. */
export function saysItIs(id: number, { view }: ByteSpan, page: number): boolean {
  return view.getUint32(page, true) === id && view.getUint32(page + 4, true) === 0;
}

/** A 64-bit number as a float: exact up to 2^53, and still far too large where it was larger. */
export function readUint64({ view }: ByteSpan, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}
