import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { showBackup } from '../../src/jobs/show.ts';
import { placeHold } from '../../src/repository/holds.ts';
import { manifestName, objectKey, snapshotName } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';
import { alter, failingListing, repositoryNamed, type TestRepository } from './repositories.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const unreachable = new WardenError('store-unreachable', 'no route');

describe('showing a backup', () => {
  let first: TestRepository;
  let second: TestRepository;
  const show = (reference: string) => showBackup([first, second], cluster, reference, go);

  beforeEach(async () => {
    [first, second] = [repositoryNamed('first'), repositoryNamed('second')];
    for (const { store } of [first, second]) await storeBackup(store, place, { tags: { why: 'upgrade' } });
  });

  it('takes it from the first repository that has it', async () => {
    const asked = vi.spyOn(second.store, 'list');
    const { repository, manifest, entry } = await show('latest');
    expect([repository, manifest.tags, entry.state]).toEqual(['first', { why: 'upgrade' }, 'complete']);
    expect(asked).not.toHaveBeenCalled();
  });

  it.each<[string, () => void]>([
    ['cannot be listed', () => void (first.store.list = () => failingListing(unreachable))],
    ['has an altered manifest', () => alter(first, place, manifestName, () => Buffer.from('{}'))],
    ['holds nothing', () => first.store.objects.clear()],
  ])('falls through to the second where the first %s', async (_, break_) => {
    break_();
    expect((await show(place.id.text)).repository).toBe('second');
  });

  it('tells each hold with its reason, and one that cannot be read by its name', async () => {
    const at = new Date('2026-11-25T03:15:00Z');
    await placeHold(first.store, place, { name: 'upgrade', reason: 'before 3.7', at }, go);
    await first.store.create(objectKey(place, 'hold-audit.json'), Buffer.from('nonsense'), go);
    expect((await show('latest')).holds).toEqual([
      { name: 'audit', hold: undefined },
      { name: 'upgrade', hold: { name: 'upgrade', reason: 'before 3.7', at, backup: place.id.text } },
    ]);
  });

  it('tells lock and class of the snapshot as the store knows them, else as they were listed', async () => {
    const lockedUntil = new Date('2026-12-01T00:00:00Z');
    const stat = first.store.stat.bind(first.store);
    first.store.stat = async (key, signal) => {
      const info = await stat(key, signal);
      return info && { ...info, lockedUntil, hasLegalHold: true, storageClass: 'GLACIER' };
    };
    expect((await show('latest')).lock).toMatchObject({ lockedUntil, hasLegalHold: true, storageClass: 'GLACIER' });
    first.store.stat = () => Promise.reject(new WardenError('store-access-denied', 'may not look'));
    const key = objectKey(place, snapshotName(''));
    const object = first.store.objects.get(key);
    if (object !== undefined) first.store.objects.set(key, { ...object, lockedUntil, storageClass: 'COLD' });
    const { lock } = await show('latest');
    expect([lock.lockedUntil, lock.hasLegalHold, lock.storageClass]).toEqual([lockedUntil, undefined, 'COLD']);
  });

  it('rejects when it is interrupted while the store is asked', async () => {
    const stop = new AbortController();
    first.store.stat = async () => {
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      throw unreachable;
    };
    await expect(showBackup([first], cluster, 'latest', stop.signal)).rejects.toEqual(wardenError('interrupted'));
  });

  it('rejects with every reason where no repository can serve', async () => {
    first.store.list = () => failingListing(unreachable);
    second.store.objects.clear();
    await expect(show('latest')).rejects.toEqual(
      wardenError('store-unreachable', 'no route', 'second holds no complete backup'),
    );
  });
});
