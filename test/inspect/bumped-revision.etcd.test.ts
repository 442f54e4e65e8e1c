import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startSnapshotSource } from '../support/snapshot-fixtures.ts';
import { etcdBinary, etcdVersions } from '../support/toolchain.ts';
import { expectAgreement } from './expect-agreement.ts';
import { inspectBytes } from './inspect-bytes.ts';

/**
 * The usual way to restore a cluster of Kubernetes: revisions must not go back, so they are bumped. etcdutl does it with
 * an empty record, whose key is "".
 */
test.each(etcdVersions)(
  'a cluster of etcd %s that was restored with bumped revisions is sound, and its hashes are those of the member',
  async (version) => {
    const directory = await mkdtemp(join(tmpdir(), 'etcd-warden-bumped-'));
    await using _ = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    let dataDir = join(directory, 'first');
    {
      await using source = await startSnapshotSource(version);
      await source.fill('/registry/pods/', 100, 300);
      await restoreBumped((await source.save()).path, dataDir);
    }
    expect(inspectBytes(await readFile(join(dataDir, 'member/snap/db')))).toMatchObject({
      damage: [{ code: 'trailer-missing' }],
      liveKeys: 101,
    });

    // Twice, because then the key "" has two revisions.
    for (const next of ['second', 'third']) {
      await using source = await startSnapshotSource(version, ['--data-dir', dataDir]);
      await source.etcdctl(['put', '/registry/pods/new', 'value']);
      await source.etcdctl(['del', '/registry/pods/00000001', '--prefix']);
      await source.etcdctl(['put', '/registry/pods/new', 'another value']);
      await expectAgreement(source, version);
      await source.etcdctl(['compact', `${(await source.revision()) - 1}`]);
      await source.etcdctl(['defrag']);
      const { revision, liveKeys } = await expectAgreement(source, version);
      expect(Number(revision)).toBeGreaterThan(1_000_000);
      // 90 of 100, the new one, and the key "".
      expect(liveKeys).toBe(92);
      dataDir = join(directory, next);
      await restoreBumped((await source.save()).path, dataDir);
    }

    async function restoreBumped(snapshot: string, to: string): Promise<void> {
      const flags = ['--bump-revision', '1000000', '--mark-compacted', '--data-dir', to];
      await promisify(execFile)(etcdBinary('etcdutl', version), ['snapshot', 'restore', snapshot, ...flags]);
    }
  },
);
