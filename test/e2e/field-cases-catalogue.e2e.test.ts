import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readCatalogue, type CatalogueEntry } from '../../src/repository/catalogue.ts';
import { backupPrefix, manifestName, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
import type { Cluster } from '../support/etcd.ts';
import { restrictedUser, type S3Server, startS3Server } from '../support/s3.ts';
import {
  allowRemovals,
  type BucketSite,
  keepNothingElse,
  lineageOf,
  makeBucketSite,
  startGrownCluster,
} from './support/bucket-site.ts';
import { awsEnvironment } from './support/places.ts';
import { series, storeSeries } from './support/stored-series.ts';
import { requireStatus } from './support/warden-process.ts';

interface ListedBackup {
  readonly id: string;
  readonly state: string;
  readonly finding: string | null;
}
interface ListDocument {
  readonly repositories: readonly { readonly backups: readonly ListedBackup[] }[];
}
interface PlanDocument {
  readonly repositories: readonly {
    readonly backups: readonly { readonly id: string; readonly action: string; readonly reasons: readonly string[] }[];
  }[];
}

const go = new AbortController().signal;
const minuteMs = 60_000;
const snapshot = snapshotName('.zst');

let s3: S3Server;
let etcd: Cluster;
let lineage: string;
let site: BucketSite;

beforeAll(async () => {
  s3 = await startS3Server();
  etcd = await startGrownCluster();
  lineage = await lineageOf(etcd);
});
beforeEach(async () => {
  site = await makeBucketSite(s3);
});
afterEach(() => site[Symbol.asyncDispose]());
afterAll(async () => {
  await Promise.all([s3?.[Symbol.asyncDispose](), etcd?.[Symbol.asyncDispose]()]);
});

const etcdSection = (): object => ({ cluster: { name: 'prod', endpoints: etcd.endpoints } });

/** Stores three backups of the last minutes, oldest first. */
async function storeThree(): Promise<[BackupPlace, BackupPlace, BackupPlace]> {
  const places = series('prod', lineage, { count: 3, everyMs: minuteMs, newest: new Date(Date.now() - minuteMs) });
  await storeSeries(site.open(), places);
  return places as [BackupPlace, BackupPlace, BackupPlace];
}

const entries = async (): Promise<readonly CatalogueEntry[]> =>
  (await readCatalogue(site.open(), 'prod', undefined, go)).entries;

/** Puts other bytes under the name of an object, as nothing of ours ever would. */
const overwrite = (place: BackupPlace, name: string, Body: Uint8Array): Promise<unknown> =>
  s3.client.send(new PutObjectCommand({ Bucket: site.bucket, Key: objectKey(place, name), Body }));

/** With read and write, as tools do it: the server of these tests keeps the time where it copies by itself. */
const copyOntoItself = async (place: BackupPlace, name: string): Promise<unknown> =>
  overwrite(place, name, await s3.readObject(site.bucket, objectKey(place, name)));

let restores = 0;
/** The id of the backup that `restore latest` writes. */
async function restoreLatest(configFile: string): Promise<string> {
  const target = join(site.folder, `restored-${++restores}.db`);
  const restored = requireStatus(await site.run(configFile, ['restore', 'latest', '--to', target]), 0).json();
  return (restored as { readonly backup: string }).backup;
}

// field: F098
test('three that back one etcd up into one bucket at the same moment leave three backups, and all are listed', async () => {
  const configFile = await site.configure({
    retention: { ...keepNothingElse, keepLast: 3 },
    sections: etcdSection(),
  });
  const now = new Date();
  const options = {
    env: { STOPPED_AT: now.toISOString() },
    nodeArgs: [`--import=${join(import.meta.dirname, 'support/stopped-clock.fixture.ts')}`],
  };
  const runs = await Promise.all([1, 2, 3].map(() => site.run(configFile, ['backup'], options)));
  const ids = runs.map((run) => (requireStatus(run, 0).json() as { readonly backup: string }).backup);
  expect(new Set(ids).size).toBe(3);
  const second = now.toISOString().replace(/[-:]|\.\d+/g, '');
  for (const id of ids) expect(id.startsWith(second)).toBe(true);
  const listed = requireStatus(await site.run(configFile, ['list', '--check']), 0).json() as ListDocument;
  expect(listed.repositories[0]?.backups.map(({ id, state }) => [id, state])).toEqual(
    ids
      .toSorted()
      .toReversed()
      .map((id) => [id, 'complete']),
  );
  expect(await s3.objectNames(site.bucket)).toHaveLength(3 * 2);
  requireStatus(await site.run(configFile, ['verify', '--all']), 0);
});

// field: F100
test('an empty snapshot and one that lacks a byte are damaged, are not the latest, and count for nothing', async () => {
  const [whole, cut, empty] = await storeThree();
  const body = await s3.readObject(site.bucket, objectKey(cut, snapshot));
  await overwrite(cut, snapshot, body.subarray(0, -1));
  await overwrite(empty, snapshot, Buffer.alloc(0));
  const configFile = await site.configure({ retention: { ...keepNothingElse, keepLast: 1 } });

  const listed = requireStatus(await site.run(configFile, ['list', '--check']), 3).json() as ListDocument;
  expect(listed.repositories[0]?.backups).toMatchObject([
    { id: empty.id.text, state: 'damaged', finding: `0 bytes are stored, the manifest says ${body.length}` },
    {
      id: cut.id.text,
      state: 'damaged',
      finding: `${body.length - 1} bytes are stored, the manifest says ${body.length}`,
    },
    { id: whole.id.text, state: 'complete', finding: null },
  ]);
  // From the listing alone the empty one is known; the other one is once it was read.
  expect((await entries()).map(({ state }) => state)).toEqual(['damaged', 'complete', 'complete']);
  requireStatus(await site.run(configFile, ['verify', 'latest', cut.id.text]), 3);
  expect((await entries()).map(({ state }) => state)).toEqual(['damaged', 'damaged', 'complete']);
  expect(await restoreLatest(configFile)).toBe(whole.id.text);
  const plan = requireStatus(await site.run(configFile, ['prune', '--dry-run']), 0).json() as PlanDocument;
  expect(plan.repositories[0]?.backups).toMatchObject([
    { id: empty.id.text, action: 'keep', reasons: [expect.stringContaining('damaged: does not count')] },
    { id: cut.id.text, action: 'keep', reasons: [expect.stringContaining('damaged: does not count')] },
    {
      id: whole.id.text,
      action: 'keep',
      reasons: expect.arrayContaining(['newest', 'among the newest 1']) as string[],
    },
  ]);
});

// field: F102
test('a copy of an old backup onto itself, which the store then takes for the newest, does not become the latest', async () => {
  const [oldest, middle, newest] = await storeThree();
  const storedAt = async (): Promise<number[]> => (await entries()).map((entry) => Number(entry.storedAt));
  // The store tells times in whole seconds: copied until that of the oldest one is later than all others.
  for (let times = await storedAt(); (times[2] ?? 0) <= Math.max(...times.slice(0, 2)); times = await storedAt()) {
    for (const name of [manifestName, snapshot]) await copyOntoItself(oldest, name);
  }

  const configFile = await site.configure({ retention: { ...keepNothingElse, keepLast: 2 } });
  expect(await restoreLatest(configFile)).toBe(newest.id.text);
  requireStatus(await site.run(configFile, ['prune']), 0);
  expect((await entries()).map(({ place }) => place.id.text)).toEqual([newest.id.text, middle.id.text]);
});

// field: F104
test('manifests that nobody can read, and nobody may remove, stop no command', async () => {
  const [unreadable, surplus, latest] = await storeThree();
  const newest: BackupPlace[] = series('prod', lineage, { count: 1, everyMs: 0, newest: new Date() });
  const [broken = expect.fail('no place')] = newest;
  await storeSeries(site.open(), newest);
  for (const place of [unreadable, broken]) await overwrite(place, manifestName, Buffer.from('{ this is no JSON'));
  await allowRemovals(s3, site.bucket, [surplus, latest].map(backupPrefix));
  const env = awsEnvironment(restrictedUser);
  const configFile = await site.configure({
    retention: { ...keepNothingElse, keepLast: 1 },
    sections: etcdSection(),
  });

  const listed = requireStatus(await site.run(configFile, ['list'], { env }), 0).json() as ListDocument;
  expect(listed.repositories[0]?.backups).toHaveLength(4);
  // Nobody is given an older backup than was asked for without being told.
  const target = join(site.folder, 'not-there.db');
  const refused = requireStatus(await site.run(configFile, ['restore', 'latest', '--to', target], { env }), 3);
  expect(refused.json()).toMatchObject({ error: { code: 'manifest-invalid' } });
  // A read-back finds out which ones are broken, proves the others, and makes `latest` the newest of these.
  const verified = requireStatus(await site.run(configFile, ['verify', '--all'], { env }), 3).json();
  expect(verified).toMatchObject({
    backups: [broken, latest, surplus, unreadable].map((place) =>
      place === broken || place === unreadable
        ? { id: place.id.text, result: 'failed', code: 'manifest-invalid' }
        : { id: place.id.text, result: 'verified' },
    ),
  });
  expect(await restoreLatest(configFile)).toBe(latest.id.text);

  const ended = requireStatus(await site.run(configFile, ['backup'], { env }), 0);
  const { backup } = ended.json() as { readonly backup: string };
  expect(ended.stderr).toContain('backup could not be removed');
  expect((await entries()).map(({ place }) => place.id.text)).toEqual([
    backup,
    broken.id.text,
    latest.id.text,
    unreadable.id.text,
  ]);
  expect(await restoreLatest(configFile)).toBe(backup);
});
