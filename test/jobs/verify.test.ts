import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { verifyBackups, type VerifyResult } from '../../src/jobs/verify.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { manifestName, objectKey, snapshotName } from '../../src/repository/layout.ts';
import type { Selection } from '../../src/repository/select-backups.ts';
import { etcdSnapshot } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt } from '../support/sample-backup.ts';
import {
  alter,
  clockAt,
  flipLastBit,
  recordingLog,
  repositoryNamed,
  silent,
  storeSnapshot,
  type TestRepository,
} from './repositories.ts';

const go = new AbortController().signal;
const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];
const stored = snapshotName('.zst');
const now = '2026-11-25T03:15:00Z';

describe('verifying backups', () => {
  let snapshot: Buffer;
  let primary: TestRepository;
  let local: TestRepository;
  let log: ReturnType<typeof recordingLog>;
  const verify = (selection: Selection, signal = go, encrypts = false): Promise<VerifyResult> => {
    const parts = {
      repositories: [primary, local],
      identities: [],
      encrypts,
      clock: clockAt(now),
      log,
      progress: silent,
    };
    return verifyBackups(parts, cluster, selection, signal);
  };
  const evidence = ({ store }: TestRepository): string[] =>
    [...store.objects.keys()].map((key) => key.split('/')[3] ?? '').filter((name) => /^(verified|damaged)/.test(name));

  beforeAll(() => {
    snapshot = etcdSnapshot();
  });

  beforeEach(async () => {
    [primary, local] = [repositoryNamed('primary'), repositoryNamed('local')];
    log = recordingLog();
    for (const place of [older, newer]) await storeSnapshot(primary.store, place, snapshot);
    await storeSnapshot(local.store, newer, snapshot);
  });

  it('reads every byte back in every repository and records that it passed', async () => {
    const { backups, failed } = await verify({ kind: 'all' });
    expect(
      backups.map(({ repository, place, snapshotBytes, error, recorded }) => [
        repository,
        place,
        snapshotBytes,
        error,
        recorded,
      ]),
    ).toEqual([
      ['primary', newer, snapshot.length, undefined, true],
      ['primary', older, snapshot.length, undefined, true],
      ['local', newer, snapshot.length, undefined, true],
    ]);
    expect(failed.size).toBe(0);
    expect(evidence(local)).toEqual(['verified-20261125T031500Z.json']);
    const { entries } = await readCatalogue(primary.store, cluster, undefined, go);
    expect(entries.map(({ verifiedAt }) => verifiedAt)).toEqual([new Date(now), new Date(now)]);
  });

  it.each<[string, () => unknown]>([
    ['a flipped bit', () => alter(primary, newer, stored, flipLastBit)],
    ['a missing end', () => alter(primary, newer, stored, (bytes) => bytes.subarray(0, -10))],
    [
      'an altered manifest',
      () => alter(primary, newer, manifestName, (bytes) => Buffer.from(bytes.toString().replace('prod', 'test'))),
    ],
  ])('records damage for %s and goes on with the others', async (_, damage) => {
    damage();
    const { backups } = await verify({ kind: 'all' });
    expect(backups.map(({ error }) => error?.exitStatus)).toEqual([3, undefined, undefined]);
    expect(backups[0]).toMatchObject({ recorded: true, snapshotBytes: undefined });
    expect(evidence(primary)).toEqual(['damaged-20261125T031500Z.json', 'verified-20261125T031500Z.json']);
    expect(log.lines).toEqual(['error verification failed']);
  });

  it('reports a missing snapshot as damage, which the listing shows without a record', async () => {
    primary.store.objects.delete(objectKey(newer, stored));
    const { backups } = await verify({ kind: 'all' });
    expect(backups[0]).toMatchObject({ recorded: false, error: { exitStatus: 3 } });
  });

  it('warns of a backup that is not encrypted although encryption is configured, and of none otherwise', async () => {
    await verify({ kind: 'references', references: ['latest'] });
    expect(log.lines).toEqual([]);
    await verify({ kind: 'references', references: ['latest'] }, go, true);
    expect(log.lines).toEqual(Array(2).fill(expect.stringContaining('warn the backup is not encrypted')));
  });

  it('fails where a repository holds nothing at all, so that a wrong name is not taken for all well', async () => {
    local.store.objects.clear();
    const { failed } = await verify({ kind: 'all' });
    expect([...failed.values()]).toEqual([wardenError('backup-not-found', 'holds no backup')]);
    // Only whoever asked knows whether one should be there.
    expect(log.lines).toEqual([]);
  });

  it('writes code and message of the damage into the evidence', async () => {
    alter(primary, newer, stored, flipLastBit);
    await verify({ kind: 'references', references: ['latest'] });
    const object = primary.store.objects.get(objectKey(newer, 'damaged-20261125T031500Z.json'));
    expect(JSON.parse(object?.bytes.toString() ?? '')).toMatchObject({
      code: 'object-damaged',
      message: expect.stringContaining('SHA-256') as unknown,
    });
  });

  it('records no damage where a backup could merely not be read', async () => {
    const before = { ...primary.store };
    primary.store.read = (key, options, signal) =>
      key.endsWith(stored)
        ? Promise.reject(new WardenError('store-timeout', 'no answer'))
        : before.read(key, options, signal);
    const { backups } = await verify({ kind: 'references', references: ['latest'] });
    expect(backups[0]).toMatchObject({ error: wardenError('store-timeout'), recorded: false });
    expect(evidence(primary)).toEqual([]);
  });

  it('takes no damage from a manifest of a newer version', async () => {
    alter(primary, newer, manifestName, () => Buffer.from('{"format": "etcd-warden-manifest", "version": 2}'));
    const { backups } = await verify({ kind: 'all' });
    expect(backups[0]).toMatchObject({ error: wardenError('manifest-unsupported'), recorded: false });
  });

  it('proves a backup where its role may not write, and says that nothing was recorded', async () => {
    primary.store.create = () => Promise.reject(new WardenError('store-access-denied', 'may not write'));
    const { backups } = await verify({ kind: 'references', references: ['latest'] });
    expect(backups[0]).toMatchObject({ snapshotBytes: snapshot.length, error: undefined, recorded: false });
    expect(log.lines).toEqual(['warn could not record that the backup is verified']);
  });

  it('goes on with the next repository where one cannot be listed or lacks what was asked for', async () => {
    const { backups, failed } = await verify({ kind: 'references', references: [older.id.text] });
    expect(backups.map(({ repository }) => repository)).toEqual(['primary']);
    expect(failed).toEqual(new Map([['local', wardenError('backup-not-found', 'local')]]));
  });

  it('stops when it is interrupted, and records nothing about the backup it was reading', async () => {
    const stop = new AbortController();
    const before = { ...primary.store };
    primary.store.read = async (key, options, signal) => {
      const body = await before.read(key, options, signal);
      if (key.endsWith(stored)) stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      return body;
    };
    await expect(verify({ kind: 'all' }, stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(evidence(primary)).toEqual([]);
  });
});
