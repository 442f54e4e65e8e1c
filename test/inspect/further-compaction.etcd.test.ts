import { expect, test } from 'vitest';
import { createInspector } from '../../src/inspect/inspector.ts';
import { startSnapshotSource } from '../support/snapshot-fixtures.ts';
import { etcdVersions } from '../support/toolchain.ts';

// field: F026
test.each(etcdVersions)(
  'etcd %s, compacted after the snapshot, answers the HashKV that is told of it',
  async (version) => {
    await using source = await startSnapshotSource(version);
    const overwrite = async (): Promise<number> => {
      await source.fill('/registry/pods/', 300, 500);
      await source.etcdctl(['del', '/registry/pods/000001', '--prefix']);
      return source.revision();
    };
    const compactTo = (revision: number): Promise<string> => source.etcdctl(['compact', `${revision}`]);

    await compactTo((await overwrite()) - 8);
    const revision = await overwrite();
    const inspector = createInspector();
    inspector.write((await source.save()).bytes);
    const { kvHash } = inspector.finish();
    await overwrite();
    await compactTo(revision - 4);

    const live = await source.hashKv(revision);
    expect(live.compactRevision).toBe(revision - 4);
    expect(inspector.hashKvAt(BigInt(live.compactRevision))).toBe(live.hash);
    expect(live.hash).not.toBe(kvHash?.hash);
  },
);
