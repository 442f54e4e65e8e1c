import { beforeEach, describe, expect, it } from 'vitest';
import { describeList } from '../../../src/cli/commands/list.ts';
import { listBackups } from '../../../src/jobs/list.ts';
import { placeHold } from '../../../src/repository/holds.ts';
import { objectKey, snapshotName, type BackupPlace } from '../../../src/repository/layout.ts';
import { repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { cluster, placeAt, storeBackup } from '../../support/sample-backup.ts';

const go = new AbortController().signal;
const now = new Date('2026-11-24T15:00:00Z');
const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];

interface ListedBackup {
  readonly id: string;
  readonly [fact: string]: unknown;
}

describe('the printed list', () => {
  let repository: TestRepository;
  const describeNow = async ({ all = false } = {}) => {
    const options = { cluster, lineage: undefined, check: false, otherClusters: all };
    return describeList(await listBackups([repository], options, go), all, now);
  };
  const backupsOf = (json: unknown): readonly ListedBackup[] =>
    (json as { repositories: { backups: ListedBackup[] }[] }).repositories.flatMap(({ backups }) => backups);
  const change = (place: BackupPlace, facts: object): void => {
    const key = objectKey(place, snapshotName(''));
    const object = repository.store.objects.get(key);
    if (object !== undefined) repository.store.objects.set(key, { ...object, ...facts });
  };

  beforeEach(async () => {
    repository = repositoryNamed('primary');
    for (const place of [older, newer]) await storeBackup(repository.store, place);
  });

  it('shows what keeps a backup from being removed: holds, and locks that have not ended', async () => {
    await placeHold(repository.store, older, { name: 'audit', reason: 'asked for', at: now }, go);
    change(older, { lockedUntil: new Date('2026-12-01T00:00:00Z') });
    change(newer, { lockedUntil: now });
    const { lines, json } = await describeNow();
    expect(lines).toEqual([
      'repository primary',
      '  ID                              AGE  STORED  STATE                   READ BACK',
      `  ${newer.id.text}  1h 0m     5 B  complete                -`,
      `  ${older.id.text}  2h 0m     5 B  complete, held, locked  -`,
      '',
    ]);
    expect(backupsOf(json)).toMatchObject([
      { id: newer.id.text, state: 'complete', holds: [], lockedUntil: '2026-11-24T15:00:00Z', storageClass: null },
      { id: older.id.text, state: 'complete', holds: ['audit'], lockedUntil: '2026-12-01T00:00:00Z' },
    ]);
  });

  it('has a column for the storage class only where a snapshot has one', async () => {
    expect((await describeNow()).lines[1]).not.toContain('CLASS');
    change(older, { storageClass: 'GLACIER' });
    const { lines, json } = await describeNow();
    expect(lines.slice(1, 4).map((line) => line.trim().split(/ {2,}/).at(-1))).toEqual(['CLASS', '-', 'GLACIER']);
    expect(backupsOf(json).map(({ storageClass }) => storageClass)).toEqual([null, 'GLACIER']);
  });

  // field: F086
  it('reports backups of a former name of the cluster as unmanaged with --all, and where there are no others', async () => {
    await storeBackup(repository.store, { ...older, cluster: 'former' });
    const unmanaged = '  backups of former there are unmanaged: they belong to another cluster.name';
    expect((await describeNow()).lines).not.toContain(unmanaged);
    const { lines, json } = await describeNow({ all: true });
    expect(lines[1]).toBe(unmanaged);
    expect(json).toMatchObject({ repositories: [{ otherClusters: ['former'] }] });
    expect(backupsOf(json).map(({ id }) => id)).toEqual([newer.id.text, older.id.text]);
    for (const key of repository.store.objects.keys()) {
      if (key.startsWith(`${cluster}/`)) repository.store.objects.delete(key);
    }
    expect((await describeNow()).lines).toEqual(['repository primary', '  no backups', unmanaged, '']);
  });
});
