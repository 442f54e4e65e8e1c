import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { listBackups, type ListedRepository, type ListOptions } from '../../src/jobs/list.ts';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { manifestName, objectKey, snapshotName } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';
import { alter, failingListing, repositoryNamed, type TestRepository } from './repositories.ts';

const go = new AbortController().signal;
const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];

describe('listing backups', () => {
  let primary: TestRepository;
  let local: TestRepository;
  const options: ListOptions = { cluster, lineage: undefined, check: false, otherClusters: false };
  const list = (check: boolean): Promise<ListedRepository[]> =>
    listBackups([primary, local], { ...options, check }, go);
  const idsOf = ({ catalogue }: ListedRepository): string[] =>
    (catalogue?.entries ?? []).map(({ place }) => place.id.text);

  beforeEach(async () => {
    [primary, local] = [repositoryNamed('primary'), repositoryNamed('local')];
    for (const place of [older, newer]) await storeBackup(primary.store, place);
    await storeBackup(local.store, older);
  });

  it('lists each repository, newest first', async () => {
    expect((await list(false)).map((listed) => [listed.repository, idsOf(listed)])).toEqual([
      ['primary', [newer.id.text, older.id.text]],
      ['local', [older.id.text]],
    ]);
  });

  it('lists the others where one cannot be listed', async () => {
    primary.store.list = () => failingListing(new WardenError('store-unreachable', 'no route'));
    const [first, second] = await list(true);
    expect(first).toMatchObject({ catalogue: undefined, error: wardenError('store-unreachable') });
    expect(second?.catalogue?.entries).toHaveLength(1);
  });

  it('names the clusters that a repository does have backups of, where it has none of this one', async () => {
    const [first] = await listBackups([primary], { ...options, cluster: 'prdo' }, go);
    expect(first?.otherClusters).toEqual([cluster]);
    expect((await list(false))[0]?.otherClusters).toEqual([]);
  });

  // field: F086
  it('names what lies there under a former name of the cluster, where that is asked for', async () => {
    const former = { ...older, cluster: 'former' };
    await storeBackup(primary.store, former);
    const before = [...primary.store.objects.keys()];
    const listed = await listBackups([primary, local], { ...options, otherClusters: true }, go);
    expect(listed.map(({ otherClusters }) => otherClusters)).toEqual([['former'], []]);
    expect(listed[0] && idsOf(listed[0])).toEqual([newer.id.text, older.id.text]);
    expect([...primary.store.objects.keys()]).toEqual(before);
  });

  it('reads no object unless it is to check', async () => {
    const read = vi.spyOn(primary.store, 'read');
    await list(false);
    expect(read).not.toHaveBeenCalled();
  });

  it('finds nothing wrong where sizes and names are those of the manifests', async () => {
    expect((await list(true)).map(({ findings, error }) => [findings.size, error])).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
  });

  // field: F100
  it.each<[string, (repository: TestRepository) => unknown, string]>([
    ['is missing', ({ store }) => store.objects.delete(objectKey(older, snapshotName(''))), 'missing'],
    [
      'was cut off',
      (repository) => alter(repository, older, snapshotName(''), (bytes) => bytes.subarray(1)),
      '4 bytes are stored, the manifest says 5',
    ],
    [
      'is empty',
      (repository) => alter(repository, older, snapshotName(''), () => Buffer.alloc(0)),
      '0 bytes are stored',
    ],
    [
      'has another name',
      ({ store }) => {
        const object = store.objects.get(objectKey(older, snapshotName('')));
        store.objects.delete(objectKey(older, snapshotName('')));
        if (object !== undefined) store.objects.set(objectKey(older, snapshotName('.zst')), object);
      },
      'snapshot.db.zst is stored, the manifest says snapshot.db',
    ],
    [
      'has a manifest that is none',
      (repository) => alter(repository, older, manifestName, () => Buffer.from('{}')),
      'manifest',
    ],
    [
      'has evidence of damage beside it',
      ({ store }) =>
        recordEvidence(
          store,
          older,
          {
            kind: 'damaged',
            at: new Date('2026-11-25T00:00:00Z'),
            facts: { code: 'object-damaged', message: 'cut off' },
          },
          go,
        ),
      'object-damaged: cut off',
    ],
  ])('finds a backup damaged whose snapshot %s', async (_, damage, words) => {
    await damage(primary);
    const [listed] = await list(true);
    expect([...(listed?.findings ?? [])]).toEqual([[older.id.text, expect.stringContaining(words)]]);
    expect(listed?.error).toBeUndefined();
  });

  it('does not take for damage what could merely not be read', async () => {
    primary.store.read = () => Promise.reject(new WardenError('store-access-denied', 'may not read'));
    const [listed] = await list(true);
    expect(listed).toMatchObject({ error: wardenError('store-access-denied') });
    expect([listed?.findings.size, listed?.catalogue?.entries.length]).toEqual([0, 2]);
  });

  it('goes on past a backup of a newer version, which it cannot check, to those that it can', async () => {
    alter(primary, newer, manifestName, () => Buffer.from('{"format": "etcd-warden-manifest", "version": 2}'));
    alter(primary, older, snapshotName(''), (bytes) => bytes.subarray(1));
    const [listed] = await list(true);
    expect([...(listed?.findings.keys() ?? [])]).toEqual([older.id.text]);
    expect(listed?.error).toEqual(wardenError('manifest-unsupported'));
  });

  it('rejects when it is interrupted', async () => {
    const stop = AbortSignal.abort(new WardenError('interrupted', 'ended by SIGTERM'));
    await expect(listBackups([primary], options, stop)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
  });
});
