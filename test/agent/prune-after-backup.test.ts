import { beforeEach, describe, expect, it } from 'vitest';
import { pruneAfterBackup } from '../../src/agent/prune-after-backup.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { BackupResult } from '../../src/jobs/backup.ts';
import type { PrunedRepository } from '../../src/jobs/prune.ts';
import { buildManifest } from '../../src/manifest/build-manifest.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { configOf, minimalConfig } from '../config/minimal-config.ts';
import { clockAt, failingListing, recordingLog, silent } from '../jobs/repositories.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, placeAt, sampleFacts, storeBackup } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const places = ['12', '13', '14', '15'].map((hour) => placeAt(`2026-11-24T${hour}:00:00Z`));
const policy = 'retention: {keepLast: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1}';
const after = 'schedules: {prune: {after: backup}}\n';
const second = '  - {name: second, store: {type: directory, path: /var/backups/second}}\n';
const configuration = `${minimalConfig}    ${policy}\n${second}`;

describe('Retention after a backup', () => {
  let local: MemoryStore;
  let log: ReturnType<typeof recordingLog>;

  beforeEach(async () => {
    log = recordingLog();
    local = await filledStore();
  });

  const pruneAfter = (
    changes: Partial<BackupResult> = {},
    text = `${configuration}${after}`,
  ): Promise<PrunedRepository[]> => {
    const place = places.at(-1) ?? expect.fail('no place');
    const result: BackupResult = {
      place,
      manifest: buildManifest(sampleFacts(place)),
      stored: ['local'],
      failed: new Map(),
      unchecked: new Map(),
      skippedMembers: [],
      damagedMembers: [],
      ...changes,
    };
    const repositories = [
      { name: 'local', store: local },
      { name: 'second', store: createMemoryStore('second') },
    ];
    return pruneAfterBackup(
      { repositories, clock: clockAt('2026-11-24T15:00:30Z'), log, progress: silent },
      configOf(text),
      result,
      go,
    );
  };
  const left = async (): Promise<number> => (await readCatalogue(local, cluster, undefined, go)).entries.length;

  it('goes by the policy of each repository that holds the new backup, and of no other', async () => {
    const pruned = await pruneAfter();
    expect(pruned.map(({ repository }) => repository)).toEqual(['local']);
    expect(await left()).toBe(2);
  });

  it('is left to `prune` unless the configuration says otherwise', async () => {
    expect(await pruneAfter({}, configuration)).toEqual([]);
    expect(await left()).toBe(4);
  });

  it('is left out where members are damaged or disagree: older backups may be the last good ones', async () => {
    expect(await pruneAfter({ damagedMembers: [{ name: 'm2', reason: 'has another HashKV' }] })).toEqual([]);
    expect(await left()).toBe(4);
    expect(log.lines).toEqual([expect.stringContaining('warn retention was left out')]);
  });

  it('is left out where it is not known whether the backup is up to date', async () => {
    const facts = sampleFacts(places.at(-1) ?? expect.fail('no place'), {
      readRevision: undefined,
      noReadBecause: 'no quorum',
    });
    expect(await pruneAfter({ manifest: buildManifest(facts) })).toEqual([]);
    expect(await left()).toBe(4);
  });

  it('that fails is told, in the outcome and in the log, and nothing is thrown', async () => {
    local.list = () => failingListing(new WardenError('store-failed', 'the store is gone'));
    const [pruned] = await pruneAfter();
    expect(pruned?.error).toMatchObject({ code: 'prune-refused' });
    expect(log.lines).toEqual(['warn retention was not carried out in full']);
  });

  it('removes nothing where the listing does not show the new backup', async () => {
    const [pruned] = await pruneAfter({ place: placeAt('2026-11-24T15:00:00Z', 8n, 2) });
    expect(pruned?.error).toMatchObject({ details: { because: 'incomplete-listing' } });
    expect(await left()).toBe(4);
  });
});

/** Backups that were stored as soon as they were taken. */
async function filledStore(): Promise<MemoryStore> {
  let now = new Date();
  const store = createMemoryStore('local', { now: () => now });
  for (const place of places) {
    now = place.id.time;
    await storeBackup(store, place);
  }
  return store;
}
