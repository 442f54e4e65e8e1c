import type { SnapshotStream } from '../../src/ports/etcd.ts';
import { craftSnapshot } from './craft.ts';
import { etcdBuckets, revisionsOf } from './mvcc-history.ts';

/** A sound snapshot of an etcd that stands at `revision`: one key for each revision from 2 on. */
export function etcdSnapshot(revision = 8, valueBytes = 100): Buffer {
  const writes = Array.from({ length: revision - 1 }, (_, index) => ({
    key: `/registry/pods/default/pod-${index}`,
    value: Buffer.alloc(valueBytes, index),
    sameTransaction: false,
  }));
  return craftSnapshot(etcdBuckets(revisionsOf(writes)));
}

export interface StreamOf extends SnapshotStream {
  isReleased: boolean;
}

/** A snapshot stream of these bytes in pieces; `beforePiece` may wait or fail. */
export function streamOf(
  bytes: Uint8Array,
  {
    pieceBytes = 4096,
    beforePiece = async (): Promise<void> => undefined,
  }: { pieceBytes?: number; beforePiece?: (at: number) => Promise<void> } = {},
): StreamOf {
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await beforePiece(at);
      yield bytes.subarray(at, at + pieceBytes);
    }
  }
  const stream: StreamOf = {
    totalBytes: bytes.length,
    isReleased: false,
    [Symbol.asyncIterator]: pieces,
    [Symbol.asyncDispose]: async () => void (stream.isReleased = true),
  };
  return stream;
}
