import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { prune, type PrunableRepository, type PrunedRepository, type PruneOptions } from '../../src/jobs/prune.ts';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
import type { RetentionPolicy } from '../../src/retention/policy.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { cluster, lineage, placeAt, storeBackup } from '../support/sample-backup.ts';
import { clockAt, failingListing, silent } from './repositories.ts';

const go = new AbortController().signal;
const nowText = '2026-11-25T00:00:30Z';
const hourMs = 3_600_000;
const keepTwo: RetentionPolicy = {
  keepLast: 2,
  keepWithinMs: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  timeZone: 'UTC',
  keepMin: 1,
  maxRemovedPercent: 100,
};
const options: PruneOptions = {
  cluster,
  dryRun: false,
  lineage: undefined,
  expectedPerDay: 24,
  accepted: new Set(),
  runLimitMs: 24 * hourMs,
};

interface TestRepository extends PrunableRepository {
  readonly store: MemoryStore;
}

describe('Pruning', () => {
  let primary: TestRepository;
  let second: TestRepository;
  let places: BackupPlace[];
  let logged: string[];

  beforeEach(async () => {
    places = [0, 1, 2, 3, 4].map((hour) =>
      placeAt(new Date(Date.parse('2026-11-24T19:00:00Z') + hour * hourMs).toISOString()),
    );
    primary = await repositoryOf('primary', places);
    second = await repositoryOf('second', places);
    logged = [];
  });

  const run = (changes: Partial<PruneOptions> = {}, repositories = [primary]): Promise<PrunedRepository[]> =>
    prune(
      { repositories, clock: clockAt(nowText), log: logInto(logged), progress: silent },
      { ...options, ...changes },
      go,
    );
  const left = async ({ store }: TestRepository): Promise<string[]> =>
    (await readCatalogue(store, cluster, undefined, go)).entries.map(({ place }) => place.id.text);
  const ids = (...hours: number[]): string[] => hours.flatMap((hour) => places[hour]?.id.text ?? []);

  it('removes what no rule keeps, and tells of each with its reason', async () => {
    const [pruned] = await run();
    expect(pruned).toMatchObject({ repository: 'primary', error: undefined });
    expect(await left(primary)).toEqual(ids(4, 3));
    expect(primary.store.objects.size).toBe(4);
    expect(logged).toEqual(ids(0, 1, 2).map((id) => `info backup removed ${id}: no rule keeps it`));
    expect([...(pruned?.removals ?? [])].map(([id, { kind }]) => [id, kind])).toEqual(
      ids(0, 1, 2).map((id) => [id, 'removed']),
    );
  });

  it('plans in a dry run exactly what a real run carries out, and removes nothing', async () => {
    const [dry] = await run({ dryRun: true });
    expect(await left(primary)).toEqual(ids(4, 3, 2, 1, 0));
    const [real] = await run();
    expect(real?.plan).toEqual(dry?.plan);
    expect(dry?.removals.size).toBe(0);
    expect(dry?.swept).toBeUndefined();
  });

  it('does nothing the second time', async () => {
    await run();
    const [again] = await run();
    expect(again?.plan?.decisions.map(({ action }) => action)).toEqual(['keep', 'keep']);
    expect(await left(primary)).toEqual(ids(4, 3));
  });

  it('prunes each repository on its own: one that fails stops no other', async () => {
    primary.store.list = () => failingListing(new WardenError('store-unreachable', 'nobody answers'));
    const [failed, pruned] = await run({}, [primary, second]);
    expect(failed).toMatchObject({ plan: undefined, error: { code: 'store-unreachable', exitStatus: 1 } });
    expect(failed?.error?.message).toContain('nobody answers');
    expect(pruned?.error).toBeUndefined();
    expect(await left(second)).toEqual(ids(4, 3));
  });

  // field: F089
  it('removes nothing where the listing breaks off', async () => {
    const list = primary.store.list.bind(primary.store);
    primary.store.list = async function* (prefix, signal) {
      let count = 0;
      for await (const object of list(prefix, signal)) {
        if (count++ === 7) throw new WardenError('store-failed', 'the second page failed');
        yield object;
      }
    };
    const [pruned] = await run();
    expect(pruned?.error).toMatchObject({ code: 'prune-refused', exitStatus: 4 });
    primary.store.list = list;
    expect(await left(primary)).toEqual(ids(4, 3, 2, 1, 0));
  });

  it('removes nothing where the listing does not show the backup that was just stored', async () => {
    const justStored = placeAt('2026-11-25T00:00:00Z').id.text;
    const [pruned] = await run({ justStored });
    expect(pruned?.error?.message).toContain(`does not show ${justStored}`);
    expect(await left(primary)).toHaveLength(5);
  });

  it('removes nothing where the planner refuses, and says why', async () => {
    const [pruned] = await run({ expectedPerDay: -3 });
    expect(pruned?.error).toMatchObject({ code: 'prune-refused', details: { because: 'unexplained-backups' } });
    expect(pruned?.error?.hint).toContain('--accept unexplained-backups');
    expect(pruned?.plan?.decisions.filter(({ action }) => action === 'remove')).toHaveLength(3);
    expect(await left(primary)).toHaveLength(5);
    expect(logged).toEqual([expect.stringContaining('warn retention was not carried out in full')]);
  });

  it('touches neither other lineages nor what is not ours, and names the lineages', async () => {
    const other = { ...placeAt('2026-11-20T00:00:00Z'), lineage: 'f'.repeat(16) };
    await storeBackup(primary.store, other);
    await primary.store.create(`${cluster}/${lineage}/readme.txt`, Buffer.from('not ours'), go);
    const [pruned] = await run();
    expect(pruned?.otherLineages).toEqual(new Map([[other.lineage, 1]]));
    expect(await left(primary)).toEqual([...ids(4, 3), other.id.text]);
    expect(primary.store.objects.has(`${cluster}/${lineage}/readme.txt`)).toBe(true);
  });

  // field: F092
  it('counts neither remains nor damaged backups', async () => {
    for (const hour of [3, 4]) {
      const place = places[hour];
      if (place !== undefined)
        await primary.store.create(objectKey(place, 'damaged-20261124T235900Z.json'), Buffer.from('{}'), go);
    }
    await primary.store.create(objectKey(placeAt('2026-11-24T23:30:00Z'), snapshotName('')), Buffer.from('part'), go);
    await run();
    expect(await left(primary)).toEqual(expect.arrayContaining(ids(1, 2)));
  });

  // field: F142
  it('takes a lock for an outcome: the rest goes, and later the locked one', async () => {
    const until = new Date('2026-12-01T00:00:00Z');
    const [oldest] = places;
    const key = objectKey(oldest as BackupPlace, manifestName);
    const list = primary.store.list.bind(primary.store);
    lock(primary.store, key, until);
    // As after an upgrade of the configuration: the listing does not tell of the lock.
    primary.store.list = async function* (prefix, signal) {
      for await (const object of list(prefix, signal)) yield { ...object, lockedUntil: undefined };
    };
    const [pruned] = await run();
    expect(pruned?.error).toBeUndefined();
    expect(pruned?.removals.get(oldest?.id.text ?? '')).toEqual({ kind: 'locked', until });
    expect(await left(primary)).toEqual(ids(4, 3, 0));
    lock(primary.store, key, new Date(0));
    await run();
    expect(await left(primary)).toEqual(ids(4, 3));
  });

  it('reports what could not be removed, after all the rest is gone', async () => {
    const denied = new WardenError('store-access-denied', 'no right to remove');
    primary.store.failingRemovals.set(objectKey(places[1] as BackupPlace, manifestName), denied);
    const [partly] = await run();
    expect(partly?.error).toMatchObject({ code: 'partly-pruned', exitStatus: 5, hint: denied.hint });
    expect(partly?.error?.message).toContain('1 of 3 backups could not be removed from primary: no right to remove');
    expect(await left(primary)).toEqual(ids(4, 3, 1));
    const [none] = await run();
    expect(none?.error).toBe(denied);
  });

  // field: F094
  it('of nothing is nothing, and success', async () => {
    const empty = await repositoryOf('empty', []);
    const [pruned] = await run({}, [empty]);
    expect(pruned).toMatchObject({ plan: { verdict: 'go', decisions: [] }, error: undefined });
  });

  async function repositoryOf(name: string, stored: readonly BackupPlace[]): Promise<TestRepository> {
    let now = new Date();
    const store = createMemoryStore(name, { now: () => now });
    for (const place of stored) {
      now = new Date(place.id.time.getTime() + 60_000);
      await storeBackup(store, place);
    }
    now = new Date(nowText);
    return { name, store, policy: keepTwo };
  }
});

function lock(store: MemoryStore, key: string, lockedUntil: Date): void {
  const object = store.objects.get(key);
  if (object === undefined) throw new Error(`nothing is stored under ${key}`);
  store.objects.set(key, { ...object, lockedUntil });
}

function logInto(lines: string[]) {
  const line =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const about = typeof fields['backup'] === 'string' ? ` ${fields['backup']}: ${String(fields['reason'])}` : '';
      lines.push(`${level} ${message}${about}`);
    };
  return { debug: silent, info: line('info'), warn: line('warn'), error: line('error') };
}
