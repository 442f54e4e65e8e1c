import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { showBackup } from '../../src/jobs/show.ts';
import { manifestName } from '../../src/repository/layout.ts';
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

  it('rejects with every reason where no repository can serve', async () => {
    first.store.list = () => failingListing(unreachable);
    second.store.objects.clear();
    await expect(show('latest')).rejects.toEqual(
      wardenError('store-unreachable', 'no route', 'second holds no complete backup'),
    );
  });
});
