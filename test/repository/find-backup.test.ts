import { beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, type CatalogueEntry } from '../../src/repository/catalogue.ts';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { findBackup } from '../../src/repository/find-backup.ts';
import { objectKey, snapshotName } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const verified = placeAt('2026-11-24T12:00:00Z', 1n);
const plain = placeAt('2026-11-24T13:00:00Z', 2n);
const damaged = placeAt('2026-11-24T14:00:00Z', 3n);
const incomplete = placeAt('2026-11-24T15:00:00Z', 4n);

describe('a reference to a backup', () => {
  let entries: readonly CatalogueEntry[];
  const find = (reference: string, among = entries): string => findBackup(among, reference, 'primary').place.id.text;
  const found = (reference: string, among?: readonly CatalogueEntry[]) => () => find(reference, among);

  beforeAll(async () => {
    const store = createMemoryStore();
    for (const place of [verified, plain, damaged]) await storeBackup(store, place);
    await recordEvidence(store, verified, { kind: 'verified', at: new Date('2026-11-24T20:00:00Z'), facts: {} }, go);
    await recordEvidence(store, damaged, { kind: 'verified', at: new Date('2026-11-24T20:00:00Z'), facts: {} }, go);
    await recordEvidence(store, damaged, { kind: 'damaged', at: new Date('2026-11-24T21:00:00Z'), facts: {} }, go);
    await store.create(objectKey(incomplete, snapshotName('')), Buffer.from('bytes'), go);
    ({ entries } = await readCatalogue(store, cluster, undefined, go));
  });

  it('latest is the newest complete one, past damaged and incomplete ones', () => {
    expect(find('latest')).toBe(plain.id.text);
  });

  it('latest-verified is the newest complete one that was read back', () => {
    expect(find('latest-verified')).toBe(verified.id.text);
  });

  it('an id finds its backup, a damaged one too', () => {
    expect([plain, damaged].map(({ id }) => find(id.text))).toEqual([plain.id.text, damaged.id.text]);
  });

  it('a prefix finds the one backup that it fits', () => {
    expect(find('20261124T13')).toBe(plain.id.text);
  });

  it('a prefix that fits several is refused with their ids', () => {
    expect(found('20261124T1')).toThrow(
      expect.objectContaining({
        code: 'backup-ambiguous',
        message: expect.stringContaining(`${damaged.id.text}, ${plain.id.text}, ${verified.id.text}`) as unknown,
        details: expect.objectContaining({ ids: [damaged, plain, verified].map(({ id }) => id.text) }) as unknown,
      }) as Error,
    );
  });

  it('never finds what is incomplete', () => {
    expect(found(incomplete.id.text)).toThrow(expect.toSatisfy(isNotFound) as Error);
  });

  it.each(['20270101', 'nonsense', 'Latest'])('%j that fits nothing says so', (reference) => {
    expect(found(reference)).toThrow(expect.toSatisfy(isNotFound) as Error);
  });

  it('an empty one means no backup, though every id begins with it', () => {
    const [only] = entries.filter((entry) => entry.place.id.text === plain.id.text);
    expect(found('', only === undefined ? [] : [only])).toThrow(expect.toSatisfy(isNotFound) as Error);
  });

  it.each(['latest', 'latest-verified'])('%s in an empty repository names the repository', (reference) => {
    let thrown: unknown;
    try {
      find(reference, []);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(wardenError('backup-not-found', 'primary'));
  });
});

const isNotFound = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'backup-not-found';
