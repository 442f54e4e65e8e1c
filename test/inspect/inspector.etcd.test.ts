import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  snapshotStatus,
  startSnapshotSource,
  type SavedSnapshot,
  type SnapshotSource,
} from '../support/snapshot-fixtures.ts';
import { etcdVersions, serverBinary } from '../support/toolchain.ts';
import { expectAgreement } from './expect-agreement.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';

const execute = promisify(execFile);

describe.each(etcdVersions)('a snapshot of etcd %s', (version) => {
  let source: SnapshotSource;

  beforeAll(async () => {
    source = await startSnapshotSource(version);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
  });

  test('of an empty cluster', async () => {
    await expectAgreement(source, version);
  });

  test('of a cluster whose last key is gone, after a compaction', async () => {
    for (const value of ['one', 'two', 'three']) await source.etcdctl(['put', 'only', value]);
    await source.etcdctl(['compact', `${(await source.revision()) - 1}`]);
    await source.etcdctl(['del', 'only']);
    const { liveKeys, kvHashSkipped } = await expectAgreement(source, version, { hasKvHash: false });
    expect([liveKeys, kvHashSkipped]).toEqual([0, expect.stringContaining('no key is live')]);
    // And where the compacted revision is a deletion.
    await source.etcdctl(['compact', `${await source.revision()}`]);
    await source.etcdctl(['put', 'only', 'four']);
    await expectAgreement(source, version);
    await source.etcdctl(['del', 'only']);
  });

  // field: F030
  test('with leases, deletions and a compaction', async () => {
    const leases = await Promise.all(
      [600, 700, 800].map(async (ttl) => (await source.etcdctl(['lease', 'grant', `${ttl}`])).split(' ')[1]),
    );
    for (let i = 0; i < 25; i++) {
      const puts = Array.from(
        { length: 4 },
        (_, n) => `put /registry/events/e${i}-${n} value-${i} ${n < 2 ? `--lease=${leases[i % 3]}` : ''}`,
      );
      await source.etcdctl(['txn'], `\n${puts.join('\n')}\n\n\n`);
    }
    for (let i = 0; i < 10; i++) await source.etcdctl(['del', `/registry/events/e${i}-0`]);
    await expectAgreement(source, version);
    await source.etcdctl(['compact', `${(await source.revision()) - 4}`]);
    const found = await expectAgreement(source, version);
    expect(found.liveKeys).toBe(90);
  });

  test('with many overwrites, transactions and pages that went stale', async () => {
    for (let round = 0; round < 3; round++) {
      await source.fill('/registry/pods/', 400, 1000);
      await source.fill('/registry/configmaps/', 120, 3000);
      await source.etcdctl(['compact', `${(await source.revision()) - 5}`]);
    }
    await source.etcdctl(['del', '/registry/pods/0000001', '--prefix']);
    await expectAgreement(source, version);
  });

  test('with values over hundreds of pages, overwritten', async () => {
    await source.fill('/registry/secrets/', 6, 300_000);
    await source.fill('/registry/secrets/', 5, 1_400_000);
    await source.etcdctl(['compact', `${await source.revision()}`]);
    await source.fill('/registry/secrets/', 6, 700_000);
    await source.fill('/registry/small/', 50, 10);
    await expectAgreement(source, version);
  });

  test('right after everything was compacted: not comparable, and said so', async () => {
    await source.etcdctl(['compact', `${await source.revision()}`]);
    const found = inspectBytes((await source.save()).bytes);
    expect(found).toMatchObject({ verdict: 'sound', kvHash: undefined });
    expect(found.kvHashSkipped).toContain('compacted');
  });
});

describe('the same database written by bbolt', () => {
  let directory: string;
  let original: SavedSnapshot;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-warden-bolt-'));
    await using source = await startSnapshotSource('3.6');
    await source.fill('/registry/pods/', 400, 700);
    await source.fill('/registry/secrets/', 3, 500_000);
    await source.etcdctl(['compact', '20']);
    const { bytes } = await source.save();
    original = { path: join(directory, 'original.db'), bytes };
    await writeFile(original.path, bytes);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function craft(command: string, flags: readonly string[]): Promise<SavedSnapshot> {
    const path = join(directory, `${command}-${flags.join('-').replaceAll(/[^a-z0-9]/gi, '')}.db`);
    await execute(serverBinary('etcd36/boltcraft'), [command, ...flags, original.path, path]);
    return { path, bytes: await readFile(path) };
  }

  // field: F015
  // field: F020
  test.each([
    [4096, true],
    [16384, false],
    [16384, true],
    [65536, false],
    [65536, true],
  ])(
    'with pages of %i bytes, freelist stored: %s, is sound and has the same HashKV and keys',
    async (pageSizeBytes, freelist) => {
      const copy = await craft('copy', ['--page-size', `${pageSizeBytes}`, ...(freelist ? ['--freelist'] : [])]);
      const before = inspectBytes(original.bytes);
      const found = inspectBytes(copy.bytes);
      expect(found).toMatchObject({
        damage: [],
        pageSizeBytes,
        hash: before.hash,
        kvHash: before.kvHash,
        liveKeys: before.liveKeys,
      });
      expect(found.hash).toBe((await snapshotStatus('3.6', copy.path)).hash);
    },
  );

  // field: F022
  test('with a five-byte key in bucket key is sound for bbolt and not for us', async () => {
    const { bytes } = await craft('put', ['--hex-key', Buffer.from('alarm').toString('hex'), '--hex-value', '00']);
    expect(inspectBytes(bytes).damage[0]).toMatchObject({
      code: 'etcd-layout-invalid',
      where: expect.stringMatching(/^bucket key > page \d+$/) as string,
      message: expect.stringMatching(/^key "alarm" is no revision/) as string,
    });
  });

  test('with a value that is no record is refused', async () => {
    const key = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 15, 0, 0]), Buffer.from('_'), Buffer.alloc(8)]);
    const { bytes } = await craft('put', ['--hex-key', key.toString('hex'), '--hex-value', 'ffff']);
    expect(codesOf(inspectBytes(bytes))).toEqual(['etcd-layout-invalid']);
  });
});
