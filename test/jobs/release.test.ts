import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { releaseBackup, type ReleasedBackup } from '../../src/jobs/release.ts';
import { placeHold } from '../../src/repository/holds.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';
import { failingListing, fieldsLog, repositoryNamed, type TestRepository } from './repositories.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const id = place.id.text;
const keyOf = (name: string): string => objectKey(place, `hold-${name}.json`);
const unreachable = new WardenError('store-unreachable', 'no route');

describe('releasing a backup', () => {
  let first: TestRepository;
  let second: TestRepository;
  let log: ReturnType<typeof fieldsLog>;
  const release = (name?: string, reference = id, signal = go): Promise<ReleasedBackup> =>
    releaseBackup(
      {
        repositories: [first, second],
        log,
      },
      cluster,
      { reference, name },
      signal,
    );
  const hold = async ({ store }: TestRepository, name: string): Promise<void> => {
    await placeHold(store, place, { name, reason: `for ${name}`, at: new Date('2026-11-25T03:15:00Z') }, go);
  };
  const kindsOf = ({ copies }: ReleasedBackup): string[] => copies.map(({ kind }) => kind);

  beforeEach(async () => {
    [first, second] = [repositoryNamed('first'), repositoryNamed('second')];
    log = fieldsLog();
    for (const { store } of [first, second]) await storeBackup(store, place);
  });

  it('removes the hold in every repository that has it', async () => {
    for (const repository of [first, second]) await hold(repository, 'manual');
    expect(await release('manual')).toEqual({
      backup: id,
      hold: 'manual',
      copies: [
        { repository: 'first', kind: 'released', otherHolds: [] },
        { repository: 'second', kind: 'released', otherHolds: [] },
      ],
    });
    expect([first, second].map(({ store }) => store.objects.has(keyOf('manual')))).toEqual([false, false]);
  });

  it('logs one line for each repository, with the reason that is gone now', async () => {
    for (const repository of [first, second]) await hold(repository, 'audit');
    await release();
    expect(log.lines).toEqual(
      ['first', 'second'].map((repository) => [
        'info',
        'hold released',
        { repository, backup: id, hold: 'audit', reason: 'for audit' },
      ]),
    );
  });

  it('takes the only one that there is where no name is given, and what means the backup', async () => {
    await hold(second, 'audit');
    const released = await release(undefined, 'latest');
    expect([released.hold, kindsOf(released)]).toEqual(['audit', ['not-held', 'released']]);
  });

  it('leaves the other holds alone, and names them', async () => {
    for (const name of ['audit', 'manual']) await hold(first, name);
    expect((await release('manual')).copies[0]).toEqual({
      repository: 'first',
      kind: 'released',
      otherHolds: ['audit'],
    });
    expect(first.store.objects.has(keyOf('audit'))).toBe(true);
  });

  it('does not choose among several, be they in several repositories', async () => {
    await hold(first, 'manual');
    await hold(second, 'audit');
    await expect(release()).rejects.toEqual(wardenError('hold-ambiguous', id, 'audit, manual'));
    expect(first.store.objects.has(keyOf('manual'))).toBe(true);
  });

  it('names the holds that there are where it is held by none of that name', async () => {
    await expect(release('manual')).rejects.toEqual(wardenError('hold-not-found', `no hold keeps ${id}`));
    await expect(release()).rejects.toEqual(wardenError('hold-not-found', `no hold keeps ${id}`));
    await hold(first, 'audit');
    await expect(release('manual')).rejects.toEqual(wardenError('hold-not-found', 'not held by manual, only by audit'));
  });

  it('does not say that there is no hold where a repository could not be asked', async () => {
    first.store.list = () => failingListing(unreachable);
    await expect(release('manual')).rejects.toEqual(wardenError('store-unreachable', 'no route', 'no hold keeps'));
  });

  it.each<[string, () => unknown, string, string]>([
    ['cannot be listed', () => (first.store.list = () => failingListing(unreachable)), 'store-unreachable', 'no route'],
    [
      'cannot remove it',
      () => first.store.failingRemovals.set(keyOf('manual'), unreachable),
      'store-unreachable',
      'no route',
    ],
    [
      'locks it',
      () => (first.store.removeAll = async () => [{ kind: 'locked', until: new Date('2027-01-01T00:00:00Z') }]),
      'refused',
      'hold manual in repository first is locked until 2027-01-01T00:00:00.000Z',
    ],
    [
      'locks it without an end',
      () => (first.store.removeAll = async () => [{ kind: 'locked', until: undefined }]),
      'refused',
      'does not say until when',
    ],
  ])('goes on where a repository %s', async (_, prepare, code, words) => {
    for (const repository of [first, second]) await hold(repository, 'manual');
    prepare();
    const released = await release('manual');
    expect(kindsOf(released)).toEqual(['failed', 'released']);
    expect(released.copies[0]).toMatchObject({ error: { code, message: expect.stringContaining(words) as unknown } });
    expect(log.lines).toContainEqual([
      'error',
      'hold not released',
      expect.objectContaining({ repository: 'first', code }),
    ]);
  });

  it('frees what is left of a backup whose manifest is gone, which the hold would keep for ever', async () => {
    await hold(first, 'manual');
    first.store.objects.delete(objectKey(place, manifestName));
    second.store.objects.clear();
    expect(kindsOf(await release())).toEqual(['released', 'absent']);
  });

  it('rejects where no repository has the backup', async () => {
    await expect(release('manual', '2025')).rejects.toEqual(wardenError('backup-not-found', 'first', 'second'));
  });

  it('rejects when it is interrupted in the middle', async () => {
    await hold(first, 'manual');
    const stop = new AbortController();
    first.store.removeAll = async () => {
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      throw unreachable;
    };
    await expect(release('manual', id, stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
  });
});
