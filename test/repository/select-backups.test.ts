import { beforeAll, describe, expect, it } from 'vitest';
import type { Repository } from '../../src/ports/repository.ts';
import { objectKey, snapshotName } from '../../src/repository/layout.ts';
import { selectBackups, type Selection } from '../../src/repository/select-backups.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const places = Array.from({ length: 30 }, (_, hour) => placeAt(new Date(Date.UTC(2026, 0, 1, hour)).toISOString()));

describe('selecting backups', () => {
  let repository: Repository;
  const select = async (selection: Selection): Promise<string[]> =>
    (await selectBackups(repository, cluster, selection, go)).map(({ place }) => place.id.text);

  beforeAll(async () => {
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
