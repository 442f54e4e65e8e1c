import { beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue, type BackupState, type Catalogue } from '../../src/repository/catalogue.ts';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { manifestName, objectKey, snapshotName } from '../../src/repository/layout.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, lineage, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const minute = (minutes: number) => new Date(Date.UTC(2026, 10, 25, 0, minutes));

describe('the catalogue', () => {
  let store: MemoryStore;
  const read = (ofLineage?: string): Promise<Catalogue> => readCatalogue(store, cluster, ofLineage, go);
  const states = async (): Promise<BackupState[]> => (await read()).entries.map(({ state }) => state);

  beforeEach(() => {
    store = createMemoryStore();
  });

  it('of an empty repository is empty', async () => {
    expect(await read()).toEqual({ entries: [], foreignObjects: 0 });
  });

  it('tells a complete backup from the listing alone', async () => {
    await storeBackup(store, place);
    store.read = () => expect.fail('an object was read');
    const storedAt = store.objects.get(objectKey(place, manifestName))?.modifiedAt;
    expect(await read()).toEqual({
      entries: [
        {
          place,
          state: 'complete',
          objects: [
            expect.objectContaining({ key: objectKey(place, manifestName), role: { kind: 'manifest' } }),
            expect.objectContaining({ key: objectKey(place, 'snapshot.db'), sizeBytes: 5 }),
          ],
          snapshot: { suffix: '', sizeBytes: 5 },
          hasManifest: true,
          storedAt,
          lockedUntil: undefined,
          storageClass: undefined,
          holds: [],
          verifiedAt: undefined,
          drilledAt: undefined,
          damagedAt: undefined,
        },
      ],
      foreignObjects: 0,
    });
  });

  it('tells the later lock of manifest and snapshot, and the storage class of the snapshot', async () => {
    await storeBackup(store, place);
    const change = (name: string, lockedUntil: Date, storageClass?: string): void => {
      const key = objectKey(place, name);
      const object = store.objects.get(key);
      if (object !== undefined) store.objects.set(key, { ...object, lockedUntil, storageClass });
    };
    change(manifestName, minute(1));
    change(snapshotName(''), minute(2), 'GLACIER');
    await store.create(objectKey(place, 'hold-audit.json'), Buffer.from('{}'), go);
    change('hold-audit.json', minute(3), 'DEEP_ARCHIVE');
    expect((await read()).entries).toMatchObject([{ lockedUntil: minute(2), storageClass: 'GLACIER' }]);
  });

  it('does not take a folder of strangers for a backup', async () => {
    await store.create(objectKey(place, 'notes.txt'), Buffer.from('not ours'), go);
    expect(await read()).toEqual({ entries: [], foreignObjects: 1 });
  });

  it('calls a snapshot without a manifest incomplete, and evidence without either', async () => {
    await store.create(objectKey(place, snapshotName('.zst.enc')), Buffer.from('bytes'), go);
    const other = placeAt('2026-11-24T15:00:00Z');
    await recordEvidence(store, other, { kind: 'damaged', at: minute(1), facts: {} }, go);
    expect(await states()).toEqual(['incomplete', 'incomplete']);
  });

  it('calls a manifest without a snapshot damaged', async () => {
    await store.create(objectKey(place, manifestName), Buffer.from('{}'), go);
    expect(await states()).toEqual(['damaged']);
  });

  // field: F100
  it('calls a snapshot of no bytes damaged', async () => {
    await storeBackup(store, place);
    store.objects.set(objectKey(place, snapshotName('')), { bytes: Buffer.alloc(0), modifiedAt: new Date() });
    expect(await states()).toEqual(['damaged']);
  });

  it.each<[string, readonly ['verified' | 'damaged', number][], BackupState]>([
    ['damage alone', [['damaged', 5]], 'damaged'],
    [
      'damage after a read-back',
      [
        ['verified', 4],
        ['damaged', 5],
      ],
      'damaged',
    ],
    [
      'damage in the same second as a read-back',
      [
        ['verified', 5],
        ['damaged', 5],
      ],
      'damaged',
    ],
    [
      'a read-back after the damage',
      [
        ['damaged', 5],
        ['verified', 6],
      ],
      'complete',
    ],
    [
      'damage between two read-backs',
      [
        ['verified', 4],
        ['damaged', 5],
        ['verified', 6],
      ],
      'complete',
    ],
    [
      'damage again after it was healed',
      [
        ['damaged', 5],
        ['verified', 6],
        ['damaged', 7],
      ],
      'damaged',
    ],
  ])('judges by the newest evidence: %s', async (_, evidence, state) => {
    await storeBackup(store, place);
    for (const [kind, minutes] of evidence)
      await recordEvidence(store, place, { kind: kind, at: minute(minutes), facts: {} }, go);
    expect(await states()).toEqual([state]);
  });

  it('tells the newest time of each kind of evidence and every hold', async () => {
    await storeBackup(store, place);
    for (const minutes of [2, 9, 5])
      await recordEvidence(store, place, { kind: 'verified', at: minute(minutes), facts: {} }, go);
    await recordEvidence(store, place, { kind: 'damaged', at: minute(3), facts: {} }, go);
    for (const name of ['b', 'a']) await store.create(objectKey(place, `hold-${name}.json`), Buffer.from('{}'), go);
    expect((await read()).entries).toMatchObject([
      { verifiedAt: minute(9), damagedAt: minute(3), drilledAt: undefined, holds: ['a', 'b'] },
    ]);
  });

  // field: F102
  it('orders by the time in the id and then by revision, whatever times the store has', async () => {
    const oldest = placeAt('2026-11-24T13:00:00Z', 900n, 1);
    const lower = placeAt('2026-11-24T14:00:00Z', 99n, 2);
    const higher = placeAt('2026-11-24T14:00:00Z', 100n, 1);
    for (const each of [higher, oldest, lower]) await storeBackup(store, each);
    // A copy onto itself makes the oldest one the newest in the eyes of the store.
    for (const [key, object] of store.objects) {
      if (key.includes(oldest.id.text)) store.objects.set(key, { ...object, modifiedAt: new Date('2030-01-01') });
    }
    expect((await read()).entries.map((entry) => entry.place.id.text)).toEqual(
      [higher, lower, oldest].map(({ id }) => id.text),
    );
  });

  it('counts foreign objects and lets them be', async () => {
    await storeBackup(store, place);
    for (const key of [`${cluster}/readme.txt`, `${cluster}/${lineage}/x/y`, objectKey(place, 'notes.txt')]) {
      await store.create(key, Buffer.from('x'), go);
    }
    expect(await read()).toMatchObject({ entries: [{ state: 'complete' }], foreignObjects: 3 });
  });

  it('leaves out other clusters, and other lineages where one is asked for', async () => {
    const restored = { ...placeAt('2026-11-24T16:00:00Z'), lineage: 'fedcba9876543210' };
    await storeBackup(store, place);
    await storeBackup(store, restored);
    await storeBackup(store, { ...place, cluster: 'prod-2' });
    expect((await read()).entries.map((entry) => entry.place.lineage)).toEqual([restored.lineage, lineage]);
    expect((await read(lineage)).entries.map((entry) => entry.place)).toEqual([place]);
  });

  it('is not given in part: a listing that breaks off rejects', async () => {
    await storeBackup(store, place);
    const stop = new AbortController();
    const before = { ...store };
    store.list = async function* (prefix, signal) {
      for await (const object of before.list(prefix, signal)) {
        yield object;
        stop.abort();
      }
    };
    await expect(readCatalogue(store, cluster, undefined, stop.signal)).rejects.toMatchObject({ code: 'interrupted' });
  });
});
