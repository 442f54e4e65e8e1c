import { beforeEach, describe, expect, it } from 'vitest';
import type { Repository } from '../../src/ports/repository.ts';
import { evidenceName, objectKey, snapshotName } from '../../src/repository/layout.ts';
import { selectBackups, type Selection } from '../../src/repository/select-backups.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const places = Array.from({ length: 30 }, (_, hour) => placeAt(new Date(Date.UTC(2026, 0, 1, hour)).toISOString()));
const allIds = places.map(({ id }) => id.text);

describe('selecting backups', () => {
  let repository: Repository;
  const select = async (selection: Selection): Promise<string[]> =>
    (await selectBackups(repository, cluster, selection, go)).map(({ place }) => place.id.text);

  beforeEach(async () => {
    const store = createMemoryStore();
    repository = { name: 'primary', store };
    for (const place of places) await storeBackup(store, place);
    const incomplete = placeAt('2026-06-01T00:00:00Z');
    await store.create(objectKey(incomplete, snapshotName('')), Buffer.from('bytes'), go);
  });

  it('gives all with a manifest, newest first', async () => {
    expect(await select({ kind: 'all' })).toEqual(places.map(({ id }) => id.text).reverse());
  });

  it('puts every backup into exactly one of the parts, the same one each time', async () => {
    const parts = [1, 2, 3, 4].map((part) => ({ kind: 'subset', part, of: 4 }) as const);
    const first = await Promise.all(parts.map(select));
    expect(first.flat().sort()).toEqual(places.map(({ id }) => id.text));
    expect(await Promise.all(parts.map(select))).toEqual(first);
    expect(first.every((part) => part.length > 0)).toBe(true);
  });

  describe('in rotation', () => {
    const night = (number: number): Date => new Date(Date.UTC(2026, 0, 3 + number, 3, 15));
    let now: Date;
    let store: MemoryStore;

    beforeEach(async () => {
      now = night(0);
      store = createMemoryStore('memory', { now: () => now });
      repository = { name: 'primary', store };
      for (const place of places) await storeBackup(store, place);
    });

    const rotate = (part: number, of: number): Promise<string[]> => select({ kind: 'rotation', part, of });
    async function prove(chosen: readonly string[], kind: 'verified' | 'damaged' = 'verified'): Promise<void> {
      for (const place of places.filter(({ id }) => chosen.includes(id.text))) {
        await store.create(objectKey(place, evidenceName(kind, now)), Buffer.from('{}'), go);
      }
    }

    it('gives the newest, and of the others those first whose last proof lies furthest back', async () => {
      // To have been taken is a proof as well.
      expect(await rotate(1, 14)).toEqual([allIds[29], allIds[0], allIds[1], allIds[2]]);
      await prove([allIds[0] ?? '', allIds[2] ?? '']);
      expect(await rotate(1, 14)).toEqual([allIds[29], allIds[1], allIds[3], allIds[4]]);
    });

    it('comes to everyone in time, and to the newest every time', async () => {
      const seen: string[] = [];
      for (let number = 1; number <= 14; number += 1) {
        now = night(number);
        const chosen = await rotate(1, 14);
        expect(chosen[0]).toBe(allIds[29]);
        seen.push(...chosen);
        await prove(chosen);
      }
      expect(new Set(seen)).toEqual(new Set(allIds));
    });

    it('looks at what was found damaged like at any other, when its turn comes', async () => {
      await prove([allIds[0] ?? ''], 'damaged');
      expect(await rotate(1, 14)).toEqual([allIds[29], allIds[1], allIds[2], allIds[3]]);
    });

    it('does not take what was found damaged for the newest', async () => {
      await prove([allIds[29] ?? ''], 'damaged');
      expect(await rotate(1, 14)).toEqual([allIds[28], allIds[0], allIds[1], allIds[2]]);
      now = night(1);
      await prove(allIds.slice(0, 28));
      expect((await rotate(1, 14)).slice(0, 2)).toEqual([allIds[28], allIds[29]]);
    });

    it('gives each once, however large the part', async () => {
      expect((await rotate(1, 1)).sort()).toEqual(allIds);
      expect(await rotate(2, 3)).toHaveLength(21);
    });

    it('gives what there is where all is damaged', async () => {
      await prove(allIds.slice(0, 5), 'damaged');
      now = night(1);
      await prove(allIds.slice(5), 'damaged');
      expect((await rotate(5, 30)).sort()).toEqual(allIds.slice(0, 5));
    });

    it('gives nothing that was never finished', async () => {
      const incomplete = placeAt('2026-06-01T00:00:00Z');
      await store.create(objectKey(incomplete, snapshotName('')), Buffer.from('bytes'), go);
      expect((await rotate(1, 1)).sort()).toEqual(allIds);
    });

    it('rejects where there is nothing', async () => {
      store.objects.clear();
      await expect(rotate(1, 14)).rejects.toEqual(wardenError('backup-not-found'));
    });
  });

  it('gives what the references mean, in their order', async () => {
    const [oldest, newest] = [places[0]?.id.text ?? '', places.at(-1)?.id.text ?? ''];
    expect(await select({ kind: 'references', references: [oldest, 'latest'] })).toEqual([oldest, newest]);
  });

  it('rejects a reference that means nothing', async () => {
    await expect(select({ kind: 'references', references: ['2031'] })).rejects.toEqual(
      wardenError('backup-not-found', '2031'),
    );
  });
});
