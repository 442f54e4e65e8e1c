import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { placeHold, readHold, removeHold } from '../../src/repository/holds.ts';
import { manifestName, objectKey, parseKey } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const key = objectKey(place, 'hold-upgrade.json');
const at = new Date('2026-11-25T03:15:00Z');
const hold = { name: 'upgrade', reason: 'before 3.7', at };
const unreachable = new WardenError('store-unreachable', 'no route');

describe('a hold', () => {
  let store: MemoryStore;
  const put = (changes: Partial<typeof hold> = {}) => placeHold(store, place, { ...hold, ...changes }, go);
  /** The backup goes while its hold is being written, as a prune would have it that looked a moment before. */
  const pruneMeanwhile = (): void => {
    const create = store.create.bind(store);
    store.create = async (...args) => {
      await create(...args);
      store.objects.delete(objectKey(place, manifestName));
    };
  };

  beforeEach(async () => {
    store = createMemoryStore('memory', { lockMs: 60_000 });
    await storeBackup(store, place);
  });

  it('lies beside its backup, where a listing finds it by name', async () => {
    expect(await put()).toEqual({ kind: 'held' });
    expect(parseKey(key)).toEqual({ place, role: { kind: 'hold', name: 'upgrade' } });
    expect(await readHold(store, place, 'upgrade', go)).toEqual({ ...hold, backup: place.id.text });
  });

  it('is never locked by the store, so that it can be released', async () => {
    await put();
    expect(await removeHold(store, place, 'upgrade', go)).toMatchObject({ kind: 'removed' });
    expect(store.objects.has(key)).toBe(false);
    expect(await removeHold(store, place, 'upgrade', go)).toMatchObject({ kind: 'removed' });
  });

  it('is not written over: the one that stands is told', async () => {
    await put();
    expect(await put({ reason: 'another one' })).toEqual({
      kind: 'held-already',
      hold: { ...hold, backup: place.id.text },
    });
    expect((await readHold(store, place, 'upgrade', go))?.reason).toBe('before 3.7');
  });

  it('holds as well where what stands in it cannot be read', async () => {
    await store.create(key, Buffer.from('nonsense'), go);
    expect(await put()).toEqual({ kind: 'held-already', hold: undefined });
  });

  it('is ours where an earlier attempt had arrived without its answer', async () => {
    await put();
    expect(await put()).toEqual({ kind: 'held' });
  });

  it('does not stay where the backup was removed meanwhile', async () => {
    pruneMeanwhile();
    await expect(put()).rejects.toEqual(wardenError('backup-not-found', place.id.text, 'removed'));
    expect(store.objects.has(key)).toBe(false);
  });

  it.each<[string, () => unknown, string]>([
    ['fails', () => store.failingRemovals.set(key, unreachable), 'no route'],
    [
      'is forbidden',
      () => (store.removeAll = async () => [{ kind: 'locked', until: undefined }]),
      'the store locks it',
    ],
  ])('is named where taking it back %s', async (_, prepare, because) => {
    prepare();
    pruneMeanwhile();
    await expect(put()).rejects.toEqual(wardenError('backup-not-found', `${key} stays behind: ${because}`));
  });

  it('of somebody else stays where the backup is gone: it is not ours to remove', async () => {
    await put();
    store.objects.delete(objectKey(place, manifestName));
    await expect(put({ reason: 'another one' })).rejects.toEqual(wardenError('backup-not-found'));
    expect(store.objects.has(key)).toBe(true);
  });

  it('rejects where it cannot be written', async () => {
    store.create = () => Promise.reject(unreachable);
    await expect(put()).rejects.toBe(unreachable);
  });

  it.each<[string, () => unknown]>([
    ['is too large', () => store.create(key, Buffer.alloc(64 * 1024 + 1), go)],
    ['is not there', () => undefined],
    ['may not be read', () => (store.read = () => Promise.reject(new WardenError('store-access-denied', 'no')))],
  ])('tells nothing where it %s', async (_, prepare) => {
    await prepare();
    expect(await readHold(store, place, 'upgrade', go)).toBeUndefined();
  });

  it('is not taken for unreadable where the reading was interrupted', async () => {
    const stop = AbortSignal.abort(new WardenError('interrupted', 'ended by SIGTERM'));
    const read = vi.spyOn(store, 'read');
    await expect(readHold(store, place, 'upgrade', stop)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(read).toHaveBeenCalledOnce();
  });
});
