import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { backUp, planBackup, type BackupOptions, type BackupResult } from '../../src/jobs/backup.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { objectKey, snapshotName } from '../../src/repository/layout.ts';
import { readManifest } from '../../src/repository/read-manifest.ts';
import { inspectBytes } from '../inspect/inspect-bytes.ts';
import { etcdSnapshot, streamOf, type StreamOf } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, lineage } from '../support/sample-backup.ts';
import { hashAnswer, refuses, scriptedEtcd, type MemberScript } from '../support/scripted-etcd.ts';
import { clockAt, flipLastBit, recordingLog, repositoryNamed, silent, type TestRepository } from './repositories.ts';

const go = new AbortController().signal;
const options: BackupOptions = {
  cluster,
  prefer: 'follower',
  limits: { idleTimeoutMs: 30_000, maxStreamHoldMs: 1_800_000 },
  compression: { algorithm: 'none' },
  spool: undefined,
  tags: { why: 'test' },
  toolVersion: '0.1.0',
};

describe('taking a backup', () => {
  let snapshot: Buffer;
  let kvHash: number;
  let primary: TestRepository;
  let local: TestRepository;
  let log: ReturnType<typeof recordingLog>;
  let streams: StreamOf[];

  beforeAll(() => {
    snapshot = etcdSnapshot();
    kvHash = inspectBytes(snapshot).kvHash?.hash ?? 0;
  });

  beforeEach(() => {
    [primary, local] = [repositoryNamed('primary'), repositoryNamed('local')];
    log = recordingLog();
    streams = [];
  });

  /** A healthy member that sends these bytes. */
  function member(bytes = snapshot, script: MemberScript = {}): MemberScript {
    return {
      hashKv: async () => hashAnswer({ hash: kvHash, compactRevision: -1n }),
      openSnapshot: async () => {
        const stream = streamOf(bytes);
        streams.push(stream);
        return stream;
      },
      ...script,
    };
  }

  function run(members: readonly MemberScript[], signal = go): Promise<BackupResult> {
    const parts = {
      etcd: scriptedEtcd(members),
      repositories: [primary, local],
      recipients: 'none' as const,
      clock: clockAt('2026-11-24T14:00:00Z'),
      log,
      progress: silent,
      random: (count: number) => new Uint8Array(count),
    };
    return backUp(parts, options, signal);
  }

  it('says which member had damaged data, in the result and in the manifest, where another one served', async () => {
    const damaged = Buffer.from(snapshot);
    damaged.writeUInt8(damaged.readUInt8(5000) ^ 1, 5000);
    const result = await run([member(), { ...member(damaged), status: { raftAppliedIndex: 99n } }, member()]);
    expect(result.damagedMembers).toEqual([{ name: 'm2', reason: expect.stringContaining('trailer') as unknown }]);
    expect(result.manifest.skippedMembers).toEqual(result.damagedMembers);
  });

  it('counts no member as damaged that merely broke off', async () => {
    const broken = { openSnapshot: () => Promise.reject(new WardenError('stream-interrupted', 'gone')) };
    const result = await run([member(), { ...member(), ...broken, status: { raftAppliedIndex: 99n } }, member()]);
    expect([result.damagedMembers, result.skippedMembers.length]).toEqual([[], 1]);
  });

  const remains = ({ store }: TestRepository): number => store.objects.size + store.uploads.size;

  it('stores the bytes of etcd and their manifest in every repository', async () => {
    const result = await run([member(), member(), member()]);
    expect(result.place).toMatchObject({ cluster, lineage, id: { text: '20261124T140000Z-r8-00000000' } });
    expect([result.stored, result.failed.size, result.skippedMembers]).toEqual([['primary', 'local'], 0, []]);
    for (const { store } of [primary, local]) {
      expect(store.objects.get(objectKey(result.place, snapshotName('')))?.bytes.equals(snapshot)).toBe(true);
      expect(await readManifest(store, result.place, go)).toEqual(result.manifest);
    }
    expect(result.manifest).toMatchObject({
      freshness: { checked: true, readRevision: '8' },
      member: { role: 'follower' },
      snapshot: { revision: '8' },
      liveMembers: [{ result: 'equal' }, { result: 'equal' }, { result: 'equal' }],
      tags: { why: 'test' },
    });
    expect(result.manifest.checks.map(({ result: outcome }) => outcome)).toEqual(Array(6).fill('passed'));
  });

  // field: F003
  it.each<[string, MemberScript]>([
    [
      'breaks off',
      {
        openSnapshot: async () =>
          streamOf(Buffer.alloc(50_000), {
            beforePiece: (at) => (at > 0 ? Promise.reject(refuses('stream-interrupted')) : Promise.resolve()),
          }),
      },
    ],
    ['refuses', { openSnapshot: () => Promise.reject(refuses('etcd-deadline')) }],
  ])('tries the next member where the first one %s', async (_, broken) => {
    const result = await run([member(), { ...member(), ...broken, status: { raftAppliedIndex: 99n } }, member()]);
    expect(result.manifest.member.name).toBe('m3');
    expect(result.skippedMembers.map(({ name }) => name)).toEqual(['m2']);
    expect(log.lines).toContain('error snapshot failed');
    expect((await readCatalogue(primary.store, cluster, undefined, go)).entries).toHaveLength(1);
    expect(primary.store.uploads.size).toBe(0);
  });

  it('tries the next member where the bytes of the first one are damaged, and keeps none of them', async () => {
    const result = await run([
      member(),
      member(flipLastBit(Buffer.from(snapshot)), { status: { raftAppliedIndex: 99n } }),
    ]);
    expect([result.manifest.member.name, result.skippedMembers[0]?.reason]).toEqual([
      'm1',
      expect.stringContaining('not sound'),
    ]);
    expect(primary.store.objects.size).toBe(2);
  });

  it('tries the next member where a snapshot is older than what was acknowledged before', async () => {
    const result = await run([member(), member(etcdSnapshot(7), { status: { raftAppliedIndex: 99n } })]);
    expect(result.skippedMembers).toEqual([
      { name: 'm2', reason: expect.stringContaining('ends at revision 7') as string },
    ]);
  });

  it('stores nothing where every member sends damaged bytes', async () => {
    const damaged = flipLastBit(Buffer.from(snapshot));
    await expect(run([member(damaged), member(damaged)])).rejects.toMatchObject({
      code: 'trailer-mismatch',
      exitStatus: 3,
    });
    expect([remains(primary), remains(local)]).toEqual([0, 0]);
    expect(streams.every(({ isReleased }) => isReleased)).toBe(true);
  });

  it('says why each member was skipped where none may serve', async () => {
    await expect(
      run([member(snapshot, { isLearner: true }), member(snapshot, { status: { revision: 7n } })]),
    ).rejects.toEqual(wardenError('no-member', 'm1: a learner', 'm2: has applied revision 7'));
  });

  it('is taken without quorum too, and its manifest says that freshness was not checked', async () => {
    const result = await run([member(snapshot, { readRevision: refuses('etcd-no-leader', 'no leader') })]);
    expect(result.manifest.freshness).toEqual({ checked: false, reason: 'no quorum: no leader' });
    expect(log.lines).toEqual(['warn freshness not checked: no quorum: no leader']);
  });

  it('is partly done where one repository fails', async () => {
    local.store.startUpload = () => Promise.reject(new WardenError('store-full', 'no room'));
    const { stored, failed } = await run([member()]);
    expect([stored, failed]).toEqual([['primary'], new Map([['local', wardenError('store-full')]])]);
    expect(log.lines).toEqual(['error repository failed']);
  });

  it('asks no other member where no repository takes it', async () => {
    for (const { store } of [primary, local])
      store.create = () => Promise.reject(new WardenError('store-full', 'no room'));
    await expect(run([member(), member()])).rejects.toEqual(
      wardenError('no-backup-stored', 'primary: no room', 'local: no room'),
    );
    expect(streams).toHaveLength(1);
  });

  it('leaves nothing when it is interrupted in the middle', async () => {
    const stop = new AbortController();
    const interrupted = streamOf(snapshot, {
      beforePiece: async (at) => void (at > 0 && stop.abort(new WardenError('interrupted', 'ended by SIGTERM'))),
    });
    await expect(
      run([member(), member(snapshot, { openSnapshot: async () => interrupted })], stop.signal),
    ).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect([remains(primary), remains(local), interrupted.isReleased, streams.length]).toEqual([0, 0, true, 0]);
  });

  it('can be planned: who would serve and why not the others, and nothing is streamed', async () => {
    const etcd = scriptedEtcd([member(), member(snapshot, { isLearner: true }), member()]);
    expect(await planBackup({ etcd }, 'follower', go)).toEqual({
      lineage,
      readRevision: 8n,
      candidates: [
        { name: 'm3', role: 'follower', dbSizeBytes: 20_480 },
        { name: 'm1', role: 'leader', dbSizeBytes: 20_480 },
      ],
      skippedMembers: [{ name: 'm2', reason: 'a learner' }],
    });
    expect([streams.length, etcd.openClients()]).toEqual([0, 0]);
  });
});
