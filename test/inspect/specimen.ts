import { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot } from '../support/craft.ts';
import { etcdBuckets, revisionsOf } from '../support/mvcc-history.ts';

/** What is damaged in tests: 1,500 revisions, pages with and without overflow, branch pages on two levels, a freelist. */
export const history = revisionsOf(
  Array.from({ length: 1500 }, (_, i) => ({
    key: `/registry/pods/default/p${i % 900}`,
    value: Buffer.alloc(i % 7 === 0 ? 9000 : 300, i),
    sameTransaction: false,
  })),
);

export const sound = craftSnapshot(etcdBuckets(history), { freelist: true, stalePages: true });

/** The sound snapshot after a change to its pages, with a right trailer. */
export function altered(change: (snapshot: AlteredSnapshot) => void): Buffer {
  const snapshot = new AlteredSnapshot(sound);
  change(snapshot);
  return snapshot.snapshot();
}

/** Flips one bit. */
export function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
}
