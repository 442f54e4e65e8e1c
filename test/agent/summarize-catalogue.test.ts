import { beforeEach, describe, expect, it } from 'vitest';
import { type CatalogueSummary, summarizeCatalogue } from '../../src/agent/summarize-catalogue.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import {
  evidenceName,
  holdName,
  manifestName,
  objectKey,
  snapshotName,
  type BackupPlace,
} from '../../src/repository/layout.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const now = new Date('2026-11-25T12:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);

describe('What a listing tells of a repository', () => {
  let store: MemoryStore;

  beforeEach(() => {
    store = createMemoryStore('memory', { now: () => now });
  });

  async function summarize(): Promise<CatalogueSummary> {
    const { entries } = await readCatalogue(store, cluster, undefined, go);
    return summarizeCatalogue('local', entries, now);
  }
  async function hold(time: Date | string, ...names: readonly string[]): Promise<BackupPlace> {
    const place = placeAt(new Date(time).toISOString());
    await storeBackup(store, place);
    await add(place, ...names);
    return place;
  }
  async function add(place: BackupPlace, ...names: readonly string[]): Promise<void> {
    for (const name of names) await store.create(objectKey(place, name), Buffer.from('{}'), go);
  }
  const verified = (time: Date): string => evidenceName('verified', time);
  const damaged = (time: Date): string => evidenceName('damaged', time);

  it('is nothing where there is nothing', async () => {
    expect(await summarize()).toEqual({
      newest: undefined,
      newestVerified: undefined,
      newestDrilled: undefined,
      events: [],
      facts: {
        listedAt: now,
        newestBackupAt: undefined,
        newestVerifiedAt: undefined,
        newestDrilledAt: undefined,
        backups: { complete: 0, incomplete: 0, damaged: 0, held: 0 },
        storedBytes: 0,
      },
    });
  });

  it('names the newest backup, and the newest of those that were proved and rehearsed', async () => {
    const drilled = await hold(daysAgo(4), evidenceName('drilled', daysAgo(3)));
    const proved = await hold(daysAgo(2), verified(daysAgo(1)));
    const newest = await hold(daysAgo(0.5));
    const summary = await summarize();
    expect(summary.newest).toEqual({
      id: newest.id.text,
      takenAt: daysAgo(0.5),
      revision: '7',
      storedBytes: 5,
      verifiedAt: undefined,
    });
    expect(summary.newestVerified).toMatchObject({ id: proved.id.text, verifiedAt: daysAgo(1) });
    expect(summary.newestDrilled).toMatchObject({ id: drilled.id.text });
    // When it was taken, not when it was read.
    expect(summary.facts).toMatchObject({
      newestBackupAt: daysAgo(0.5),
      newestVerifiedAt: daysAgo(2),
      newestDrilledAt: daysAgo(4),
    });
  });

  it('passes over what is damaged or was never finished', async () => {
    await hold(daysAgo(2));
    await hold(daysAgo(1), verified(daysAgo(0.5)), damaged(daysAgo(0.4)));
    const unfinished = placeAt(daysAgo(0.2).toISOString());
    await store.create(objectKey(unfinished, snapshotName('')), Buffer.from('bytes'), go);
    const { facts, newestVerified } = await summarize();
    expect([facts.newestBackupAt, newestVerified]).toEqual([daysAgo(2), undefined]);
    expect(facts.backups).toEqual({ complete: 1, damaged: 1, incomplete: 1, held: 0 });
  });

  it('does not take a backup for the newest that is dated ahead of the clock', async () => {
    await hold(daysAgo(1), verified(daysAgo(0.5)));
    await hold('2036-11-25T12:00:00Z', verified(now));
    const { newest, newestVerified, facts } = await summarize();
    expect([newest?.takenAt, newestVerified?.takenAt]).toEqual([daysAgo(1), daysAgo(1)]);
    expect(facts.backups.complete).toBe(2);
  });

  it('bears with clocks that lie five minutes apart, and not a second more', async () => {
    await hold('2026-11-25T12:05:00Z');
    expect((await summarize()).newest?.takenAt).toEqual(new Date('2026-11-25T12:05:00Z'));
    store.objects.clear();
    await hold('2026-11-25T12:05:01Z');
    expect((await summarize()).newest).toBeUndefined();
  });

  it('counts backups that are held whatever their state, and the bytes of everything that is stored', async () => {
    await hold(daysAgo(1), holdName('audit'), holdName('legal'));
    await hold(daysAgo(2), holdName('audit'), damaged(daysAgo(1)));
    const { facts } = await summarize();
    expect(facts.backups).toEqual({ complete: 1, damaged: 1, incomplete: 0, held: 2 });
    const sizes = [...store.objects.values()].map(({ bytes }) => bytes.length);
    expect(facts.storedBytes).toBe(sizes.reduce((sum, size) => sum + size));
  });

  it('tells what happened in the last seven days, each evidence by itself', async () => {
    const old = await hold(
      daysAgo(8),
      verified(daysAgo(7.1)),
      verified(daysAgo(3)),
      verified(daysAgo(2)),
      damaged(daysAgo(1)),
    );
    const young = await hold(daysAgo(7), evidenceName('drilled', daysAgo(5)), holdName('audit'));
    const { events } = await summarize();
    const told = events.toSorted((one, other) => one.at.getTime() - other.at.getTime());
    expect(told.map(({ at, kind, repository, text }) => [at, kind, repository, text])).toEqual([
      [daysAgo(7), 'backup', 'local', young.id.text],
      [daysAgo(5), 'drilled', 'local', young.id.text],
      [daysAgo(3), 'verified', 'local', old.id.text],
      [daysAgo(2), 'verified', 'local', old.id.text],
      [daysAgo(1), 'damaged', 'local', old.id.text],
    ]);
  });

  it('calls nothing a backup that has no manifest', async () => {
    const place = await hold(daysAgo(1));
    store.objects.delete(objectKey(place, manifestName));
    const { newest, events, facts } = await summarize();
    expect([newest, events, facts.backups.incomplete]).toEqual([undefined, [], 1]);
  });
});
