import { beforeEach, describe, expect, it } from 'vitest';
import { findBackupSince, findEvidenceSince } from '../../src/agent/served.ts';
import type { Repository } from '../../src/ports/repository.ts';
import { evidenceName, manifestName, objectKey, type BackupPlace } from '../../src/repository/layout.ts';
import { clockAt, failingListing, fieldsLog, repositoryNamed, type TestRepository } from '../jobs/repositories.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';
import { refuses } from '../support/scripted-etcd.ts';

const go = new AbortController().signal;
const noon = new Date('2026-11-25T12:00:00Z');
const clock = clockAt('2026-11-25T12:03:00Z');

describe('What serves a time', () => {
  let near: TestRepository;
  let far: TestRepository;
  let log: ReturnType<typeof fieldsLog>;

  beforeEach(() => {
    [near, far] = [repositoryNamed('near'), repositoryNamed('far')];
    log = fieldsLog();
  });

  const parts = (repositories: readonly Repository[]) => ({ repositories, clock, log });
  const findBackup = (since = noon, repositories: readonly Repository[] = [near, far]): Promise<string | undefined> =>
    findBackupSince(parts(repositories), cluster, since, go);
  const findEvidence = (repositories: readonly Repository[] = [near, far]): Promise<string | undefined> =>
    findEvidenceSince(parts(repositories), cluster, noon, go);
  const broken = ({ name, store }: TestRepository): Repository => ({
    name,
    store: { ...store, list: () => failingListing(refuses('store-unreachable', 'no way there')) },
  });
  async function hold({ store }: TestRepository, time: string): Promise<BackupPlace> {
    const place = placeAt(time);
    await storeBackup(store, place);
    return place;
  }

  describe('as a backup', () => {
    it('is one that was taken then or later, in whichever repository', async () => {
      expect(await findBackup()).toBeUndefined();
      await hold(near, '2026-11-25T11:59:59Z');
      expect(await findBackup()).toBeUndefined();
      const { id } = await hold(far, '2026-11-25T12:00:00Z');
      expect(await findBackup()).toBe(`${id.text} in far`);
    });

    it('may be of the very second: ids tell no more', async () => {
      const { id } = await hold(near, '2026-11-25T12:00:00Z');
      expect(await findBackup(new Date('2026-11-25T12:00:00.999Z'))).toBe(`${id.text} in near`);
      expect(await findBackup(new Date('2026-11-25T12:00:01.000Z'))).toBeUndefined();
    });

    it('is never one that is dated ahead of the clock, of however many years', async () => {
      await hold(near, '2036-11-25T12:00:00Z');
      await hold(near, '2026-11-25T12:08:01Z');
      expect(await findBackup()).toBeUndefined();
    });

    it('may come from a clock that is minutes ahead, and is found behind one of another year', async () => {
      await hold(near, '2036-11-25T12:00:00Z');
      const { id } = await hold(near, '2026-11-25T12:08:00Z');
      expect(await findBackup()).toBe(`${id.text} in near`);
    });

    it('is neither one that is damaged nor one that was never finished', async () => {
      const damaged = await hold(near, '2026-11-25T12:01:00Z');
      await near.store.create(objectKey(damaged, evidenceName('damaged', noon)), Buffer.from('{}'), go);
      const unfinished = await hold(near, '2026-11-25T12:02:00Z');
      near.store.objects.delete(objectKey(unfinished, manifestName));
      expect(await findBackup()).toBeUndefined();
    });

    it('is found though one repository cannot be listed, and is nothing where none can: one more does no harm', async () => {
      const { id } = await hold(far, '2026-11-25T12:01:00Z');
      expect(await findBackup(noon, [broken(near), far])).toBe(`${id.text} in far`);
      expect(await findBackup(noon, [broken(near), broken(far)])).toBeUndefined();
      expect(log.lines).toContainEqual(['debug', 'what was done since cannot be told', expect.anything()]);
    });

    it('is not looked for any longer than it is wanted', async () => {
      const told = AbortSignal.abort(refuses('interrupted', 'told to stop'));
      await expect(findBackupSince(parts([broken(near)]), cluster, noon, told)).rejects.toEqual(
        wardenError('interrupted'),
      );
    });
  });

  describe('as a read-back', () => {
    /** An old backup that was read back, with its evidence stored at once. */
    async function readBackAt(kind: 'verified' | 'damaged', time: string): Promise<TestRepository> {
      const at = new Date(time);
      const repository = { name: 'near', store: createMemoryStore('near', { now: () => at }) };
      const place = await hold(repository, '2026-11-20T12:00:00Z');
      await repository.store.create(objectKey(place, evidenceName(kind, at)), Buffer.from('{}'), go);
      return repository;
    }

    it.each(['verified', 'damaged'] as const)('is one then or later, of whatever backup: %s', async (kind) => {
      const found = await findEvidence([far, await readBackAt(kind, '2026-11-25T12:00:00Z')]);
      expect(found).toBe(`${placeAt('2026-11-20T12:00:00Z').id.text} was read back since in near`);
      expect(await findEvidence([await readBackAt(kind, '2026-11-25T11:59:59Z')])).toBeUndefined();
    });

    it('is never dated ahead of the clock', async () => {
      expect(await findEvidence([await readBackAt('verified', '2036-11-25T12:00:00Z')])).toBeUndefined();
    });

    it('is not that a backup was taken', async () => {
      await hold(near, '2026-11-25T12:01:00Z');
      expect(await findEvidence()).toBeUndefined();
    });
  });
});
