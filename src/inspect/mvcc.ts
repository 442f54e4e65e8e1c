import type { ByteSpan } from './byte-span.ts';

/**
 * Keys of bucket `key`: main revision, `_`, sub revision, and `t` where it is a deletion.
 * Source: etcd server/storage/mvcc/revision.go.
 */
const revisionKeyBytes = 17;
export const tombstoneKeyBytes = 18;

const underscore = 0x5f;
const letterT = 0x74;

/** Whether the key at `at` is a revision that fits the columns: main below 2^53, sub below 2^32. No etcd comes near either. */
export function isRevisionKey({ bytes, view }: ByteSpan, at: number, keyBytes: number): boolean {
  return (
    (keyBytes === revisionKeyBytes || (keyBytes === tombstoneKeyBytes && bytes[at + 17] === letterT)) &&
    bytes[at + 8] === underscore &&
    view.getUint32(at) < 0x20_0000 &&
    view.getUint32(at + 9) === 0
  );
}

export const readMain = ({ view }: ByteSpan, at: number): number =>
  view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
export const readSub = ({ view }: ByteSpan, at: number): number => view.getUint32(at + 13);

/** Writes a revision key at `at` and returns where it ends. */
export function writeRevisionKey(
  { bytes, view }: ByteSpan,
  at: number,
  main: number,
  sub: number,
  isTombstone: boolean,
): number {
  view.setUint32(at, Math.floor(main / 0x1_0000_0000));
  view.setUint32(at + 4, main % 0x1_0000_0000);
  bytes[at + 8] = underscore;
  view.setUint32(at + 9, 0);
  view.setUint32(at + 13, sub);
  if (!isTombstone) return at + revisionKeyBytes;
  bytes[at + revisionKeyBytes] = letterT;
  return at + tombstoneKeyBytes;
}

const wireType = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;
const keyField = 1;
const valueField = 5;

/**
 * Reads an mvccpb.KeyValue (etcd api/mvccpb/kv.proto) without making an object for it. `end` is where the record ends;
 * bytes are at hand up to `available` only, and a value may go on beyond: then `restAt` says where to read on.
 * All positions are in the span.
 */
export class KeyValueReader {
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  restAt = 0;
  #at = 0;

  /**
   * False if it is no key-value record. True with `restAt < end`: sound so far, the rest has not come. A record without
   * a key is one with the key "": `etcdutl snapshot restore --bump-revision` leaves an empty one under the new revision
   * (etcdutl/snapshot/v3_snapshot.go, unsafeBumpBucketsRevision), and etcd keeps it as a live key from then on.
   */
  read(span: ByteSpan, start: number, available: number, end: number): boolean {
    this.keyStart = this.keyEnd = start;
    this.valueStart = this.valueEnd = -1;
    return this.readRest(span, start, available, end);
  }

  /** Reads on after a value, with the positions found so far kept. */
  readRest({ bytes }: ByteSpan, start: number, available: number, end: number): boolean {
    this.#at = start;
    while (this.#at < Math.min(available, end)) {
      const fieldAt = this.#at;
      const tag = this.#varint(bytes, available);
      const length = tag < 0 ? -1 : this.#fieldBytes(bytes, tag & 7, available);
      if (length < 0 && this.#at === available && available < end) {
        // Cut in the middle of a number: it is read again with what comes.
        this.restAt = fieldAt;
        return true;
      }
      // No field has number 0, so zeros are no record.
      if (length < 0 || this.#at + length > end || tag >>> 3 === 0) return false;
      if (tag >>> 3 === keyField) {
        // A key that goes on beyond what is at hand can't be hashed; the caller sees keyEnd > available.
        this.keyStart = this.#at;
        this.keyEnd = this.#at + length;
      } else if (tag >>> 3 === valueField) {
        this.valueStart = this.#at;
        this.valueEnd = this.#at + length;
      }
      this.#at += length;
    }
    this.restAt = this.#at;
    return true;
  }

  #fieldBytes(bytes: Uint8Array, type: number, available: number): number {
    if (type === wireType.varint) return this.#varint(bytes, available) < 0 ? -1 : 0;
    if (type === wireType.lengthDelimited) return this.#varint(bytes, available);
    if (type === wireType.fixed64) return 8;
    return type === wireType.fixed32 ? 4 : -1;
  }

  /** A varint as a float; -1 if it is cut off or longer than ten bytes. */
  #varint(bytes: Uint8Array, available: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10 && this.#at < available; i++) {
      const byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    return -1;
  }
}
