import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { Delivery } from '../../src/repository/delivery.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const manifest = Buffer.from('{}');
const options = {
  place,
  suffix: '.zst.enc',
  maxBytes: 1000,
  limits: { stallMs: 30_000, patienceMs: 600_000 },
  now: () => 0,
};
const failing = (code: 'store-full' | 'store-access-denied') => () =>
  Promise.reject(new WardenError(code, `says ${code}`));

describe('delivering a backup', () => {
  let a: MemoryStore;
  let b: MemoryStore;
  const start = (signal = go): Promise<Delivery> =>
    Delivery.start(
      [
        { name: 'a', store: a },
        { name: 'b', store: b },
      ],
      options,
      signal,
    );
  const states = (store: MemoryStore): Promise<string[]> =>
    readCatalogue(store, cluster, undefined, go).then(({ entries }) => entries.map(({ state }) => state));

  beforeEach(() => {
    [a, b] = [createMemoryStore('a'), createMemoryStore('b')];
  });

  it('puts snapshot and manifest into every repository', async () => {
    await using delivery = await start();
    await delivery.write(Buffer.from('sealed '));
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['a', 'b']);
    for (const { objects } of [a, b]) {
      expect([...objects].map(([key, { bytes }]) => [key, bytes.toString()])).toEqual([
        [objectKey(place, 'snapshot.db.zst.enc'), 'sealed bytes'],
        [objectKey(place, manifestName), '{}'],
      ]);
    }
  });

  it('shows nothing before it is committed, and leaves nothing if it never is', async () => {
    {
      await using delivery = await start();
      await delivery.write(Buffer.from('sealed bytes'));
      expect([a.objects.size, a.uploads.size]).toEqual([0, 1]);
    }
    expect([a.objects.size, a.uploads.size, b.objects.size, b.uploads.size]).toEqual([0, 0, 0, 0]);
  });

  it('begins although one repository cannot', async () => {
    a.startUpload = failing('store-access-denied');
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['b']);
    expect(delivery.failures).toEqual(new Map([['a', wardenError('store-access-denied')]]));
    expect([await states(a), await states(b)]).toEqual([[], ['complete']]);
  });

  it('does not begin where no repository can', async () => {
    a.startUpload = failing('store-access-denied');
    b.startUpload = failing('store-full');
    await expect(start()).rejects.toEqual(
      wardenError('no-backup-stored', 'a: says store-access-denied', 'b: says store-full'),
    );
  });

  it('gives back what it began when it is interrupted meanwhile', async () => {
    const stop = new AbortController();
    const before = { ...b };
    b.startUpload = async (key, upload, signal) => {
      const begun = await before.startUpload(key, upload, signal);
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      return begun;
    };
    await expect(start(stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect([a.uploads.size, b.uploads.size]).toEqual([0, 0]);
  });

  it('reports a manifest that one repository refuses, and keeps its snapshot for the sweep', async () => {
    b.create = failing('store-full');
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['a']);
    expect(delivery.failures).toEqual(new Map([['b', wardenError('store-full')]]));
    expect([await states(a), await states(b)]).toEqual([['complete'], ['incomplete']]);
  });

  it('rejects where no repository took the manifest', async () => {
    a.create = failing('store-access-denied');
    b.create = failing('store-full');
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    await expect(delivery.commit(manifest, go)).rejects.toEqual(wardenError('no-backup-stored', 'a: says', 'b: says'));
  });

  it('reads every manifest back, and tells where that is refused', async () => {
    a.read = failing('store-access-denied');
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['a', 'b']);
    expect(delivery.unchecked).toEqual(new Map([['a', [{ what: 'read-back', because: 'says store-access-denied' }]]]));
  });

  it('tells where it neither made the manifest that is there nor may read it', async () => {
    const before = { ...a };
    a.read = failing('store-access-denied');
    a.create = async (...call) => {
      await before.create(...call);
      return before.create(...call);
    };
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['a', 'b']);
    expect([...delivery.unchecked].map(([name, facts]) => [name, facts.map(({ what }) => what)])).toEqual([
      ['a', ['own-manifest', 'read-back']],
    ]);
  });

  it.each([
    [
      'other bytes',
      'object-damaged',
      (key: string) => a.objects.set(key, { bytes: Buffer.from('{ }'), modifiedAt: new Date() }),
    ],
    ['nothing', 'store-object-missing', (key: string) => a.objects.delete(key)],
  ] as const)('counts no repository that shows %s under the name that it confirmed', async (_, code, spoil) => {
    const before = { ...a };
    a.create = async (key, ...call) => {
      await before.create(key, ...call);
      spoil(key);
    };
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, go)).toEqual(['b']);
    expect(delivery.failures).toEqual(new Map([['a', wardenError(code, manifestName)]]));
  });

  it('rejects where no repository shows the manifest that it confirmed', async () => {
    for (const store of [a, b]) {
      const before = { ...store };
      store.create = async (key, ...call) => {
        await before.create(key, ...call);
        store.objects.delete(key);
      };
    }
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    await expect(delivery.commit(manifest, go)).rejects.toEqual(wardenError('no-backup-stored', 'does not have it'));
  });

  it('lets a backup stand that cannot be read back for any other reason, and tells it', async () => {
    const stop = new AbortController();
    a.read = () => Promise.reject(new WardenError('store-timeout', 'no answer'));
    b.read = async () => {
      await new Promise(setImmediate);
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      return new Promise(() => undefined);
    };
    await using delivery = await start();
    await delivery.write(Buffer.from('bytes'));
    expect(await delivery.commit(manifest, stop.signal)).toEqual(['a', 'b']);
    expect(delivery.failures.size).toBe(0);
    expect(delivery.unchecked).toEqual(
      new Map([
        ['a', [{ what: 'read-back', because: 'no answer' }]],
        ['b', [{ what: 'read-back', because: 'ended by SIGTERM' }]],
      ]),
    );
  });
});
