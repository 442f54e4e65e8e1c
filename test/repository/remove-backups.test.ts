import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
import { removeBackups, type BackupRemoval } from '../../src/repository/remove-backups.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const now = new Date('2026-11-25T00:00:00Z');
const gone = { kind: 'removed', rest: { failure: undefined, failed: 0, locked: 0, keptVersions: 0 } };
const denied = new WardenError('store-access-denied', 'no right to remove');
const [oldest, middle, newest] = ['12', '13', '14'].map((hour) => placeAt(`2026-11-24T${hour}:00:00Z`)) as [
  BackupPlace,
  BackupPlace,
  BackupPlace,
];

describe('Removing backups', () => {
  let store: MemoryStore;
  let calls: string[][];

  beforeEach(async () => {
    store = createMemoryStore();
    for (const place of [oldest, middle, newest]) await storeBackup(store, place);
    await recordEvidence(store, oldest, { kind: 'verified', at: now, facts: {} }, go);
    calls = recordRemovals(store);
  });

  const removeThese = async (...places: BackupPlace[]): Promise<[string, BackupRemoval][]> => {
    const { entries } = await readCatalogue(store, cluster, undefined, go);
    const chosen = entries.filter(({ place }) => places.some(({ id }) => id.text === place.id.text));
    const removals: [string, BackupRemoval][] = [];
    await removeBackups(store, chosen, ({ place }, removal) => removals.push([place.id.text, removal]), now, go);
    return removals;
  };

  it('takes everything of a backup and nothing of its neighbours', async () => {
    const neighbour = `${objectKey(oldest, '').slice(0, -1)}b/${manifestName}`;
    const foreign = objectKey(oldest, 'notes.txt');
    for (const key of [neighbour, foreign]) await store.create(key, Buffer.from('not ours'), go);
    expect(await removeThese(oldest)).toEqual([[oldest.id.text, gone]]);
    expect([...store.objects.keys()].toSorted()).toEqual(
      [...[middle, newest].flatMap(keysOf), neighbour, foreign].toSorted(),
    );
  });

  it('takes the manifests first and the oldest backup first', async () => {
    const removals = await removeThese(newest, oldest);
    expect(removals.map(([id]) => id)).toEqual([oldest.id.text, newest.id.text]);
    expect(calls[0]).toEqual([objectKey(oldest, manifestName), objectKey(newest, manifestName)]);
    expect(calls[1]).not.toContain(objectKey(oldest, manifestName));
    expect(calls).toHaveLength(2);
  });

  it('looks again right before: a hold that came since the listing keeps its backup', async () => {
    const { entries } = await readCatalogue(store, cluster, undefined, go);
    await store.create(objectKey(middle, 'hold-audit.json'), Buffer.from('{}'), go);
    const removals: BackupRemoval[] = [];
    await removeBackups(store, entries, (_, removal) => removals.push(removal), now, go);
    expect(removals.find(({ kind }) => kind === 'held')).toEqual({ kind: 'held', holds: ['audit'] });
    expect([...store.objects.keys()].toSorted()).toEqual(
      [...keysOf(middle), objectKey(middle, 'hold-audit.json')].toSorted(),
    );
    // Not removed and given back: a run that is killed in between would leave it without.
    expect(calls.flat()).not.toContain(objectKey(middle, manifestName));
  });

  it('gives the manifest back where a hold came just before it went', async () => {
    const removeAll = store.removeAll.bind(store);
    store.removeAll = async (keys, signal) => {
      await store.create(objectKey(middle, 'hold-audit.json'), Buffer.from('{}'), go).catch(() => undefined);
      return removeAll(keys, signal);
    };
    const manifest = store.objects.get(objectKey(middle, manifestName))?.bytes;
    expect(await removeThese(middle)).toEqual([[middle.id.text, { kind: 'held', holds: ['audit'] }]]);
    expect(store.objects.get(objectKey(middle, manifestName))?.bytes).toEqual(manifest);
    const after = await readCatalogue(store, cluster, undefined, go);
    expect(after.entries.find(({ place }) => place.id.text === middle.id.text)).toMatchObject({ state: 'complete' });
  });

  // field: F104
  it('goes on with the others where one cannot be removed, which stays whole', async () => {
    store.failingRemovals.set(objectKey(oldest, manifestName), denied);
    expect(await removeThese(oldest, middle)).toEqual([
      [oldest.id.text, { kind: 'failed', error: denied }],
      [middle.id.text, gone],
    ]);
    expect([...store.objects.keys()]).toEqual(expect.arrayContaining(keysOf(oldest)));
  });

  it('counts what stays although the manifest is gone', async () => {
    store.failingRemovals.set(objectKey(middle, snapshotName('')), denied);
    expect(await removeThese(middle)).toEqual([
      [
        middle.id.text,
        {
          kind: 'removed',
          rest: { failure: denied, failed: 1, locked: 0, keptVersions: 0 },
        },
      ],
    ]);
  });

  // field: F142
  it('leaves a backup whole of which the store locks manifest or snapshot', async () => {
    const until = new Date('2026-12-01T00:00:00Z');
    lock(objectKey(oldest, manifestName), until);
    lock(objectKey(middle, snapshotName('')), until);
    const removals = await removeThese(oldest, middle, newest);
    expect(Object.fromEntries(removals)).toEqual({
      [oldest.id.text]: { kind: 'locked', until },
      [middle.id.text]: { kind: 'locked', until },
      [newest.id.text]: gone,
    });
    expect([...store.objects.keys()]).toEqual(expect.arrayContaining([...keysOf(oldest), ...keysOf(middle)]));
  });

  it('leaves a backup whole whose snapshot is under a legal hold', async () => {
    const stat = store.stat.bind(store);
    store.stat = async (key, signal) => {
      const info = await stat(key, signal);
      return info === undefined ? undefined : { ...info, hasLegalHold: true };
    };
    expect(await removeThese(oldest)).toEqual([[oldest.id.text, { kind: 'locked', until: undefined }]]);
    expect(calls).toEqual([]);
  });

  it('tries without a look where the role may not read', async () => {
    store.stat = () => Promise.reject(denied);
    expect(await removeThese(oldest)).toEqual([[oldest.id.text, gone]]);
  });

  it('takes what a run that was killed had left of a backup that it was removing', async () => {
    const { entries } = await readCatalogue(store, cluster, undefined, go);
    store.objects.delete(objectKey(oldest, manifestName));
    await removeBackups(store, entries, () => undefined, now, go);
    expect([...store.objects.keys()]).toEqual([]);
  });

  it('stops where it is told to, and every backup is whole or without a manifest', async () => {
    const stop = new AbortController();
    const removeAll = store.removeAll.bind(store);
    store.removeAll = (keys, signal) => {
      const removing = removeAll(keys, signal);
      stop.abort(new WardenError('interrupted', 'told to stop'));
      return removing;
    };
    const { entries } = await readCatalogue(store, cluster, undefined, go);
    await expect(removeBackups(store, entries, () => undefined, now, stop.signal)).rejects.toThrow('told to stop');
    const after = await readCatalogue(store, cluster, undefined, go);
    expect(after.entries.map(({ state }) => state)).toEqual(['complete', 'complete', 'incomplete']);
    expect(after.entries.every(({ snapshot }) => snapshot !== undefined)).toBe(true);
  });

  function lock(key: string, lockedUntil: Date): void {
    const object = store.objects.get(key);
    if (object === undefined) throw new Error(`nothing is stored under ${key}`);
    store.objects.set(key, { ...object, lockedUntil });
  }
});

const keysOf = (place: BackupPlace): string[] => [snapshotName(''), manifestName].map((name) => objectKey(place, name));

function recordRemovals(store: MemoryStore): string[][] {
  const calls: string[][] = [];
  const removeAll = store.removeAll.bind(store);
  store.removeAll = (keys, signal) => {
    calls.push([...keys]);
    return removeAll(keys, signal);
  };
  return calls;
}
