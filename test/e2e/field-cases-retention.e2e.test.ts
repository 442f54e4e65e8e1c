import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCatalogue } from '../../src/repository/catalogue.ts';
import { backupPrefix, objectKey, snapshotName, type BackupPlace } from '../../src/repository/layout.ts';
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

interface PrunedRepository {
  readonly name: string;
  readonly error?: { readonly code: string };
  readonly backups: readonly { readonly id: string; readonly action: string; readonly outcome?: string }[];
}
interface PrunedDocument {
  readonly repositories: readonly PrunedRepository[];
}
interface BackupDocument {
  readonly backup: string;
  readonly retention: PrunedDocument;
}

const go = new AbortController().signal;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

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

const clusterSection = (name = 'prod'): object => ({ cluster: { name, endpoints: etcd.endpoints } });

/** Places in the last hours under the lineage of the running etcd, oldest first. */
const lately = (count: number, { name = 'prod', everyMs = minuteMs, newest = new Date(Date.now() - minuteMs) } = {}) =>
  series(name, lineage, { count, everyMs, newest });

/** Ids that are left, newest first. */
async function left(name = 'prod', prefix = ''): Promise<string[]> {
  const { entries } = await readCatalogue(site.open({ prefix }), name, undefined, go);
  return entries.filter(({ hasManifest }) => hasManifest).map(({ place }) => place.id.text);
}

const idsOf = (places: readonly BackupPlace[]): string[] => places.map(({ id }) => id.text);

const removedFrom = ({ repositories }: PrunedDocument): string[] =>
  repositories.flatMap(({ backups }) => backups.filter(({ outcome }) => outcome === 'removed').map(({ id }) => id));

// field: F083
test('while backups fail nothing is pruned, however old all of them are; the next success prunes down to policy', async () => {
  const places = lately(6, { everyMs: hourMs, newest: new Date(Date.now() - 4 * hourMs) });
  await storeSeries(site.open(), places);
  const retention = { ...keepNothingElse, keepLast: 1, keepMin: 2 };
  const configFile = await site.configure({ retention, sections: clusterSection() });
  const [member] = etcd.members;
  member?.process.signal('SIGKILL');
  await member?.process.exited;
  const before = await s3.objectNames(site.bucket);
  for (let run = 0; run < 3; run++) {
    expect((await site.run(configFile, ['backup'])).status).toBe(1);
    expect(await s3.objectNames(site.bucket)).toEqual(before);
  }
  await member?.restart();
  const { backup, retention: pruned } = requireStatus(
    await site.run(configFile, ['backup']),
    0,
  ).json() as BackupDocument;
  expect(await left()).toEqual([backup, ...idsOf(places.slice(-1))]);
  expect(removedFrom(pruned).toSorted()).toEqual(idsOf(places.slice(0, -1)));
});

describe('in a bucket with neighbours', () => {
  const prefixes = ['', 'a', 'a/b', 'a/bc', 'ab'];
  const retention = { ...keepNothingElse, keepLast: 3 };

  beforeEach(async () => {
    for (const prefix of prefixes) await storeSeries(site.open({ prefix }), lately(5));
    await storeSeries(site.open({ prefix: 'a' }), lately(5, { name: 'prod-2' }));
  });

  // field: F084
  // field: F087
  test.each(['', 'a', 'a/b'])(
    'the sixth backup below the prefix "%s" leaves three there, and all neighbours',
    async (prefix) => {
      const isOurs = (name: string): boolean => name.startsWith(prefix === '' ? 'prod/' : `${prefix}/prod/`);
      const neighbours = (await s3.objectNames(site.bucket)).filter((name) => !isOurs(name));
      expect(neighbours).toHaveLength(5 * 5 * 2);
      const configFile = await site.configure({ retention, store: { prefix }, sections: clusterSection() });
      requireStatus(await site.run(configFile, ['backup']), 0);
      expect(await left('prod', prefix)).toHaveLength(3);
      const names = await s3.objectNames(site.bucket);
      expect(names.filter((name) => !isOurs(name))).toEqual(neighbours);
      expect(names.filter(isOurs)).toHaveLength(3 * 2);
      const again = requireStatus(await site.run(configFile, ['prune']), 0).json() as PrunedDocument;
      expect(again.repositories[0]?.backups.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
      expect(await s3.objectNames(site.bucket)).toEqual(names);
    },
  );

  // field: F084
  test.each(['a/', '/a/', 'a//b'])(
    'the prefix "%s", of which it is not plain what it means, is refused',
    async (prefix) => {
      const before = await s3.objectNames(site.bucket);
      const configFile = await site.configure({ retention, store: { prefix } });
      const refused = requireStatus(await site.run(configFile, ['prune']), 2);
      expect(refused.json()).toMatchObject({
        error: { code: 'config-invalid', message: expect.stringContaining('single slashes') as string },
      });
      expect(await s3.objectNames(site.bucket)).toEqual(before);
    },
  );
});

// field: F086
test('under a new name the cluster is pruned to policy; the five of its former name stay and are told to be unmanaged', async () => {
  const former = lately(5, { name: 'x' });
  await storeSeries(site.open(), former);
  const current = lately(4, { name: 'y' });
  await storeSeries(site.open(), current);
  const retention = { ...keepNothingElse, keepLast: 2 };
  const configFile = await site.configure({ retention, sections: clusterSection('y') });
  requireStatus(await site.run(configFile, ['prune']), 0);
  expect(await left('y')).toEqual(idsOf(current.slice(-2).toReversed()));
  expect(await left('x')).toEqual(idsOf(former.toReversed()));
  const listed = requireStatus(await site.run(configFile, ['list', '--all']), 0);
  expect(listed.json()).toMatchObject({ repositories: [{ otherClusters: ['x'], backups: [{}, {}] }] });
});

// field: F091
test('what a bulk answer of status 200 refuses stays whole and counts as failed; a backup goes well all the same', async () => {
  const places = lately(6);
  await storeSeries(site.open(), places);
  const [first, second, third, fourth, fifth, sixth] = places as [
    BackupPlace,
    BackupPlace,
    BackupPlace,
    BackupPlace,
    BackupPlace,
    BackupPlace,
  ];
  await allowRemovals(s3, site.bucket, [second, fourth, sixth].map(backupPrefix));
  const denied = [first, third, fifth];
  const configFile = await site.configure({
    retention: { ...keepNothingElse, keepLast: 1 },
    sections: clusterSection(),
  });
  const env = awsEnvironment(restrictedUser);

  const pruned = requireStatus(await site.run(configFile, ['prune'], { env }), 5);
  expect(pruned.json()).toMatchObject({
    error: { code: 'partly-pruned', message: expect.stringContaining('3 of 5 backups') as string },
  });
  expect(outcomesOf(pruned.json() as PrunedDocument)).toEqual({
    ...Object.fromEntries(idsOf(denied).map((id) => [id, 'failed'])),
    ...Object.fromEntries(idsOf([second, fourth]).map((id) => [id, 'removed'])),
  });
  expect(logged(pruned.stderr, 'backup removed')).toEqual(idsOf([second, fourth]));
  expect(logged(pruned.stderr, 'backup could not be removed')).toEqual(idsOf(denied));
  const wholeNames = [...denied, sixth].flatMap((place) =>
    ['manifest.json', snapshotName('.zst')].map((name) => objectKey(place, name)),
  );
  expect(await s3.objectNames(site.bucket)).toEqual(wholeNames);

  const ended = requireStatus(await site.run(configFile, ['backup'], { env }), 0);
  const { backup, retention } = ended.json() as BackupDocument;
  expect(retention.repositories).toMatchObject([{ name: 'cloud', error: { code: 'partly-pruned' } }]);
  expect(removedFrom(retention)).toEqual([sixth.id.text]);
  expect(ended.stderr).toMatch(/"level":"warn"[^\n]*retention was not carried out in full/);
  expect(await left()).toEqual([backup, ...idsOf(denied.toReversed())]);
});

// field: F092
test('neither failed runs nor a damaged backup take the place of a good one', async () => {
  const [surplus, good, better, ...others] = lately(7) as [BackupPlace, BackupPlace, BackupPlace, ...BackupPlace[]];
  const damaged = others.at(-1) ?? expect.fail('no place is left');
  const store = site.open();
  await storeSeries(store, [surplus, good, better, damaged]);
  for (const place of others.slice(0, -1)) {
    await store.create(objectKey(place, snapshotName('.zst')), Buffer.from('what a run left that failed'), go);
  }
  await store.removeAll([objectKey(damaged, snapshotName('.zst'))], go);
  await store.create(objectKey(damaged, snapshotName('.zst')), Buffer.from('other bytes than were stored'), go);
  const configFile = await site.configure({ retention: { ...keepNothingElse, keepLast: 2 } });
  requireStatus(await site.run(configFile, ['verify', 'latest']), 3);
  requireStatus(await site.run(configFile, ['prune']), 0);
  expect(await left()).toEqual(idsOf([damaged, better, good]));
});

// field: F094
test.each([
  [0, 0],
  [1, 0],
  [9, 0],
  [10, 0],
  [11, 1],
])('of %d backups, of which the newest 10 are kept, %d go, and that is success', async (count, removed) => {
  const places = lately(count);
  await storeSeries(site.open(), places);
  const configFile = await site.configure({ retention: { ...keepNothingElse, keepLast: 10 } });
  const pruned = requireStatus(await site.run(configFile, ['prune']), 0).json() as PrunedDocument;
  expect(removedFrom(pruned)).toEqual(idsOf(places.slice(0, removed)));
  expect(await left()).toEqual(idsOf(places.slice(removed).toReversed()));
});

/** What became of each backup that was to go, by id. */
function outcomesOf({ repositories }: PrunedDocument): Record<string, string> {
  const backups = repositories.flatMap((repository) => repository.backups);
  return Object.fromEntries(backups.flatMap(({ id, outcome }) => (outcome === undefined ? [] : [[id, outcome]])));
}

/** The backups that lines of the log with this message are about, sorted. */
function logged(lines: string, message: string): string[] {
  const found = lines.split('\n').filter((line) => line.includes(`"${message}"`));
  return found.map((line) => (JSON.parse(line) as { readonly backup: string }).backup).toSorted();
}
