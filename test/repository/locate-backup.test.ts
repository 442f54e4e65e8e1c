import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { locateBackup, type LocatedBackup } from '../../src/repository/locate-backup.ts';
import { failingListing, repositoryNamed, type TestRepository } from '../jobs/repositories.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];
const unreachable = new WardenError('store-unreachable', 'no route');

describe('one backup in several repositories', () => {
  let first: TestRepository;
  let second: TestRepository;
  const locate = (reference: string, remains = false) =>
    locateBackup([first, second], cluster, { reference, remains }, go);
  const sitesOf = ({ id, sites }: LocatedBackup) => [id, ...sites.map(({ kind }) => kind)];

  beforeEach(async () => {
    [first, second] = [repositoryNamed('first'), repositoryNamed('second')];
    await storeBackup(first.store, older);
    await storeBackup(second.store, older);
    await storeBackup(second.store, newer);
  });

  it.each([
    ['latest', newer],
    [newer.id.text, newer],
    ['20261124T13', older],
  ])('%s is the same one in each of them', async (reference, { id }) => {
    const isInFirst = id === older.id;
    expect(sitesOf(await locate(reference))).toEqual([id.text, isInFirst ? 'there' : 'absent', 'there']);
  });

  it('latest is the one of the higher revision where two began in the same second', async () => {
    const [ninth, tenth] = [placeAt('2026-11-24T15:00:00Z', 9n), placeAt('2026-11-24T15:00:00Z', 10n)];
    await storeBackup(first.store, ninth);
    await storeBackup(second.store, tenth);
    expect((await locate('latest')).id).toBe(tenth.id.text);
  });

  it('latest passes over what is damaged everywhere, and holds on to a copy that is damaged in one', async () => {
    first.store.objects.clear();
    await storeBackup(first.store, newer);
    const snapshot = objectKey(newer, 'snapshot.db');
    second.store.objects.delete(snapshot);
    expect(sitesOf(await locate('latest'))).toEqual([newer.id.text, 'there', 'there']);
    first.store.objects.delete(snapshot);
    expect(sitesOf(await locate('latest'))).toEqual([older.id.text, 'absent', 'there']);
  });

  it('is not chosen by a prefix that means one here and another one there', async () => {
    second.store.objects.clear();
    await storeBackup(second.store, newer);
    await expect(locate('20261124T1')).rejects.toEqual(
      wardenError('backup-ambiguous', `fits 2 backups: ${newer.id.text}, ${older.id.text}`),
    );
  });

  it('is not chosen by a prefix that means two in one of them', async () => {
    await expect(locate('20261124T1')).rejects.toEqual(wardenError('backup-ambiguous', 'second'));
  });

  it('is found though a repository cannot be listed', async () => {
    first.store.list = () => failingListing(unreachable);
    const located = await locate('latest');
    expect(sitesOf(located)).toEqual([newer.id.text, 'unlisted', 'there']);
    expect(located.sites[0]).toMatchObject({ error: unreachable });
  });

  it('rejects with every reason where none has it', async () => {
    await expect(locate('2025')).rejects.toEqual(wardenError('backup-not-found', 'first holds no', 'second holds no'));
    first.store.list = () => failingListing(unreachable);
    await expect(locate('2025')).rejects.toEqual(wardenError('store-unreachable', 'no route', 'second holds no'));
  });

  it('without its manifest is found by its whole id alone, and only where remains are asked for', async () => {
    second.store.objects.delete(objectKey(newer, manifestName));
    await expect(locate(newer.id.text)).rejects.toEqual(wardenError('backup-not-found', 'no manifest'));
    expect(sitesOf(await locate(newer.id.text, true))).toEqual([newer.id.text, 'absent', 'there']);
    await expect(locate('20261124T14', true)).rejects.toEqual(wardenError('backup-not-found'));
    expect(sitesOf(await locate('latest', true))).toEqual([older.id.text, 'there', 'there']);
  });

  it('rejects when it is interrupted', async () => {
    const stop = AbortSignal.abort(new WardenError('interrupted', 'ended by SIGTERM'));
    await expect(locateBackup([first], cluster, { reference: 'latest' }, stop)).rejects.toEqual(
      wardenError('interrupted'),
    );
  });
});
