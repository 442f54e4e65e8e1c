import { beforeEach, describe, expect, it } from 'vitest';
import { withPolicies } from '../../../src/agent/retention.ts';
import { type PruneRun, runPrune } from '../../../src/agent/runs/prune.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { clockAt, failingListing, recordingLog, silent } from '../../jobs/repositories.ts';
import { wardenError } from '../../support/errors.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { cluster, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

const go = new AbortController().signal;
const policy = 'retention: {keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1}';
const another = `  - {name: second, store: {type: directory, path: /var/backups/second}, ${policy}}\n`;
const config = configOf(`${minimalConfig}    ${policy}\n${another}`);

describe('Carrying retention out', () => {
  let local: MemoryStore;
  let second: MemoryStore;
  let measures: RecordedMeasures;

  beforeEach(async () => {
    [local, second] = [await filledStore(), await filledStore()];
    measures = recordedMeasures();
  });

  function run(dryRun = false): Promise<PruneRun> {
    const repositories = withPolicies(
      [
        { name: 'local', store: local },
        { name: 'second', store: second },
      ],
      config,
    );
    const log = recordingLog();
    const parts = { repositories, clock: clockAt('2026-11-25T12:00:30Z'), log, progress: silent, measures };
    return runPrune(parts, config, { dryRun, lineage: undefined, accepted: new Set() }, go);
  }
  const left = async (store: MemoryStore): Promise<number> =>
    (await readCatalogue(store, cluster, undefined, go)).entries.length;

  it('goes by the policy of each repository, and measures what it removed', async () => {
    const { pruned, error } = await run();
    expect([pruned.map(({ repository }) => repository), error]).toEqual([['local', 'second'], undefined]);
    expect([await left(local), await left(second)]).toEqual([1, 1]);
    expect(measures.told).toEqual([
      ['backupsRemoved', 'local', 1],
      ['backupsRemoved', 'second', 1],
    ]);
  });

  it('is partly done where one repository fails', async () => {
    second.list = () => failingListing(refuses('store-unreachable', 'no way there'));
    const { error } = await run();
    expect(error).toEqual(wardenError('partly-pruned', 'no way there'));
    expect(measures.of('backupsRemoved')).toEqual([
      ['local', 1],
      ['second', 0],
    ]);
  });

  it('removes nothing where it only plans', async () => {
    const { pruned } = await run(true);
    expect(pruned.map(({ plan }) => plan?.verdict)).toEqual(['go', 'go']);
    expect([await left(local), await left(second)]).toEqual([2, 2]);
  });
});

async function filledStore(): Promise<MemoryStore> {
  let now = new Date();
  const store = createMemoryStore('memory', { now: () => now });
  for (const place of [placeAt('2026-11-24T12:00:00Z', 5n), placeAt('2026-11-25T12:00:00Z', 8n)]) {
    now = place.id.time;
    await storeBackup(store, place);
  }
  return store;
}
