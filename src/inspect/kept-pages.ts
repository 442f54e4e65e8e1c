import { byteSpan, type ByteSpan } from './byte-span.ts';
import type { KeptBytes } from './kept-bytes.ts';

/**
 * What is kept of a page whose keys are no revisions: its first and last key, and more: the children of a branch page,
 * the facts of etcd on a leaf page, or what BucketLeaves needs of one. Lengths come first: 2, 2 and 4 bytes.
 */
const headBytes = 8;

/** Keeps a record and returns its position; undefined beyond the budget. */
export function keepPage(kept: KeptBytes, first: Uint8Array, last: Uint8Array, more: Uint8Array): number | undefined {
  const room = kept.allocate(headBytes + first.length + last.length + more.length);
  if (room === undefined) return undefined;
  const { bytes, view } = room.piece;
  view.setUint16(0, first.length);
  view.setUint16(2, last.length);
  view.setUint32(4, more.length);
  bytes.set(first, headBytes);
  bytes.set(last, headBytes + first.length);
  bytes.set(more, headBytes + first.length + last.length);
  return room.position;
}

export interface KeptPage {
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  readonly more: ByteSpan;
}

export function keptPage(kept: KeptBytes, position: number): KeptPage {
  const { bytes, view } = kept.from(position);
  const firstEnd = headBytes + view.getUint16(0);
  const lastEnd = firstEnd + view.getUint16(2);
  return {
    firstKey: bytes.subarray(headBytes, firstEnd),
    lastKey: bytes.subarray(firstEnd, lastEnd),
    more: byteSpan(bytes.subarray(lastEnd, lastEnd + view.getUint32(4))),
  };
}
