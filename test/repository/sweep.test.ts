import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
import { findRemains, sweep, type SweepResult, type SweepScope } from '../../src/repository/sweep.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, lineage, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const scope: SweepScope = { cluster, lineage, runLimitMs: 86_400_000, acceptRemains: false };
const backup = placeAt('2026-11-24T14:00:00Z');
const dead = placeAt('2026-11-20T14:00:00Z');
const deadKey = objectKey(dead, snapshotName('.zst.enc'));

describe('The sweep', () => {
  let store: MemoryStore;
  let now: Date;

  beforeEach(() => {
    now = new Date('2026-11-20T14:10:00Z');
    store = createMemoryStore('memory', { now: () => now });
  });

  const storeNewer = async (time = '2026-11-24T14:01:00Z'): Promise<void> => {
    now = new Date(time);
    await storeBackup(store, backup);
  };
  const sweepAll = async (changes: Partial<SweepScope> = {}): Promise<SweepResult> => {
    const catalogue = await readCatalogue(store, cluster, undefined, go);
    return sweep(store, await findRemains(store, catalogue, { ...scope, ...changes }, go), go);
  };
  const leave = (key: string) => store.create(key, Buffer.from('remains'), go);

  it('removes objects without a manifest that no run can be writing any more', async () => {
    await leave(deadKey);
    await leave(objectKey(dead, 'damaged-20261121T000000Z.json'));
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 2, uploads: 0, bytes: 14, failure: undefined });
    expect([...store.objects.keys()].filter((key) => key.includes(dead.id.text))).toEqual([]);
    expect((await readCatalogue(store, cluster, undefined, go)).entries.map(({ state }) => state)).toEqual([
      'complete',
    ]);
  });

  it('aborts uploads that no run can be writing any more', async () => {
    await store.startUpload(deadKey, { maxBytes: 10 }, go);
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ uploads: 1 });
    expect(store.uploads.size).toBe(0);
  });

  it('goes by the clock of the store, so that a run that stores slowly is safe', async () => {
    now = new Date('2026-11-24T13:00:00Z');
    await leave(deadKey);
    await store.startUpload(deadKey, { maxBytes: 10 }, go);
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 0, uploads: 0 });
    expect(store.uploads.size).toBe(1);
  });

  it('waits for a complete backup that is newer: until then the remains are the last hope', async () => {
    await leave(deadKey);
    now = new Date('2026-11-24T14:01:00Z');
    await leave(objectKey(backup, snapshotName('')));
    expect(await sweepAll()).toMatchObject({ objects: 0 });
    await leave(objectKey(backup, manifestName));
    expect(await sweepAll()).toMatchObject({ objects: 1 });
  });

  it.each<[string, () => string]>([
    ['a folder with a manifest', () => objectKey(dead, manifestName)],
    ['a folder that is held', () => objectKey(dead, 'hold-forensics.json')],
  ])('leaves %s alone', async (_, keyOf) => {
    await leave(deadKey);
    await leave(keyOf());
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 0 });
    // Nor is it told of as one that would be swept.
    const catalogue = await readCatalogue(store, cluster, undefined, go);
    expect(await findRemains(store, catalogue, scope, go)).toMatchObject({ folders: [] });
  });

  it('touches nothing that is not ours, nor another lineage, cluster or neighbour', async () => {
    const strangers = [
      objectKey(dead, 'notes.txt'),
      objectKey({ ...dead, lineage: 'f'.repeat(16) }, snapshotName('')),
      objectKey({ ...dead, cluster: 'other' }, snapshotName('')),
      objectKey({ ...dead, cluster: `${cluster}b` }, snapshotName('')),
      `${cluster}/readme`,
    ];
    for (const key of strangers) {
      await leave(key);
      await store.startUpload(`${key}.upload`, { maxBytes: 10 }, go);
    }
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 0, uploads: 0 });
    expect([...store.objects.keys()]).toEqual(expect.arrayContaining(strangers));
    expect(store.uploads.size).toBe(strangers.length);
  });

  it('leaves alone what was read back once: it lost its manifest rather than never had one', async () => {
    await leave(deadKey);
    await leave(objectKey(dead, 'verified-20261120T150000Z.json'));
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 0 });
    expect(await sweepAll({ acceptRemains: true })).toMatchObject({ objects: 2 });
  });

  it('leaves all alone where more lack a manifest than a killed run can leave', async () => {
    for (let hour = 10; hour <= 20; hour += 1) {
      await leave(objectKey(placeAt(`2026-11-19T${hour}:00:00Z`), snapshotName('')));
    }
    await storeNewer();
    expect(await sweepAll()).toMatchObject({ objects: 0 });
    store.objects.delete(objectKey(placeAt('2026-11-19T10:00:00Z'), snapshotName('')));
    expect(await sweepAll()).toMatchObject({ objects: 10 });
  });

  it('looks again right before: a manifest or a hold that came since the listing keeps a folder', async () => {
    const held = placeAt('2026-11-19T15:00:00Z');
    await leave(deadKey);
    await leave(objectKey(held, snapshotName('')));
    await storeNewer();
    const remains = await findRemains(store, await readCatalogue(store, cluster, undefined, go), scope, go);
    await leave(objectKey(dead, manifestName));
    await leave(objectKey(held, 'hold-forensics.json'));
    expect(await sweep(store, remains, go)).toMatchObject({ objects: 0 });
  });

  it('tells what stayed and why, and goes on with the rest', async () => {
    const denied = new WardenError('store-access-denied', 'no right to remove');
    await leave(deadKey);
    const further: BackupPlace = placeAt('2026-11-20T15:00:00Z');
    await leave(objectKey(further, snapshotName('')));
    await storeNewer();
    store.failingRemovals.set(deadKey, denied);
    expect(await sweepAll()).toMatchObject({ objects: 1, uploads: 0, bytes: 7, failure: denied });
  });

  it('sweeps the objects of a store that cannot list uploads, and says so', async () => {
    const refusal = new WardenError('store-refused', 'not implemented');
    store.unfinishedUploads = () => {
      throw refusal;
    };
    await leave(deadKey);
    await storeNewer();
    const catalogue = await readCatalogue(store, cluster, undefined, go);
    const remains = await findRemains(store, catalogue, scope, go);
    expect(remains).toMatchObject({ uploads: [], uploadsUnknownBecause: refusal });
    expect(remains.folders).toHaveLength(1);
  });
});
