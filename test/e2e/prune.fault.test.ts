import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultRetryPolicy, retryWith } from '../../src/adapters/store-layers/retry.ts';
import { withRetries } from '../../src/adapters/store-layers/with-retries.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { readCatalogue, type CatalogueEntry } from '../../src/repository/catalogue.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { startHttpProxy, type HttpProxy, type SeenRequest } from '../support/http-proxy.ts';
import { openS3Store, startS3Server, type S3Server } from '../support/s3.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { series, storeSeries } from './support/stored-series.ts';
import { startWarden, type EndedWarden } from './support/warden-process.ts';
import { makeTempFolder, writeConfig, type TempFolder } from './support/warden.ts';

const go = new AbortController().signal;
const cluster = 'prod';
const lineage = '0123456789abcdef';

const keepTwo = {
  keepLast: 2,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  keepMin: 1,
  maxRemovedPercent: '100%',
};

describe('Pruning a bucket', () => {
  let s3: S3Server;
  let proxy: HttpProxy;
  let folder: TempFolder;
  let bucket: string;
  let store: ObjectStore;
  let configFile: string;

  beforeAll(async () => {
    s3 = await startS3Server();
  });

  afterAll(async () => {
    await s3[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    proxy = await startHttpProxy(s3.endpoint);
    folder = await makeTempFolder();
    bucket = await s3.makeBucket();
    store = withRetries(openS3Store(s3, bucket), retryWith(defaultRetryPolicy));
    configFile = await configure({ ...keepTwo, keepLast: 24, daily: 2 });
  });

  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const configure = (retention: object): Promise<string> =>
    writeConfig(folder.path, {
      cluster: { name: cluster, endpoints: ['http://127.0.0.1:1'] },
      encryption: 'none',
      repositories: [{ ...cloudRepository(proxy.url, bucket), retention }],
      schedules: { backup: { cron: '* * * * *' } },
    });
  const warden = async (...args: string[]): Promise<EndedWarden> => {
    await using running = startWarden([...args, '--json'], { configFile, env: awsEnvironment(s3.credentials) });
    return await running.ended;
  };
  const entries = async (): Promise<readonly CatalogueEntry[]> =>
    (await readCatalogue(store, cluster, undefined, go)).entries;

  // field: F089
  it('of 2,300 backups removes none while a page of the listing fails, and then all that no rule keeps', async () => {
    const places = series(cluster, lineage, { count: 2300, everyMs: 30_000, newest: new Date() });
    await storeSeries(store, places);
    let pages = 0;
    proxy.break(({ operation }) => operation === 'ListObjectsV2' && ++pages % 5 === 2, {
      kind: 'error',
      status: 500,
      code: 'InternalError',
    });
    proxy.break(({ operation, url }) => operation === 'ListObjectsV2' && url.searchParams.has('continuation-token'), {
      kind: 'error',
      status: 500,
      code: 'InternalError',
    });
    const refused = await warden('prune');
    expect(refused.status).toBe(4);
    expect(refused.json()).toMatchObject({ error: { code: 'prune-refused' } });
    expect(proxy.count('DeleteObjects') + proxy.count('DeleteObject')).toBe(0);
    proxy.heal();

    const dry = (await warden('prune', '--dry-run')).json();
    const pruned = await warden('prune');
    expect(pruned.status).toBe(0);
    expect(decisionsOf(pruned.json())).toEqual(decisionsOf(dry));
    const left = await entries();
    expect(left.map(({ place }) => place.id.text).slice(0, 24)).toEqual(
      places
        .slice(-24)
        .toReversed()
        .map(({ id }) => id.text),
    );
    expect(left.length).toBeLessThanOrEqual(26);
    expect(left.every(({ state }) => state === 'complete')).toBe(true);
    expect(await countObjects()).toBe(left.length * 2);
    // Two requests ten backups, not two a backup.
    expect(proxy.count('DeleteObjects')).toBeLessThan(600);
  });

  it.each([
    ['single deletes', 'one by one'],
    ['bulk deletes', 'in bulk'],
  ])('killed between any two %s leaves no backup that is listed as complete and is not', async (_, way) => {
    const isBulk = way === 'in bulk';
    configFile = await configure(keepTwo);
    const count = isBulk ? 13 : 6;
    const isRemoval = (request: SeenRequest): boolean =>
      request.operation === (isBulk ? 'DeleteObjects' : 'DeleteObject');
    let kills = 0;
    for (let index = 0, isDone = false; !isDone; index += 1) {
      await storeSeries(store, series(cluster, lineage, { count, everyMs: 60_000, newest: new Date() }));
      if (!isBulk) proxy.break('DeleteObjects', { kind: 'error', status: 501, code: 'NotImplemented' });
      isDone = !(await pruneAndKill(isRemoval, index));
      if (!isDone) kills += 1;
      proxy.heal();
      await expectWholeOrSweepable();
    }
    expect(kills).toBeGreaterThanOrEqual(isBulk ? 4 : 8);
    // What the killed ones left goes with the next run, once it is old; here nothing is.
    expect((await warden('prune')).status).toBe(0);
    expect((await entries()).filter(({ state }) => state === 'complete')).toHaveLength(2);
  });

  /** Kills the run as it sends its removal number `index`; false if it ended before. */
  async function pruneAndKill(isRemoval: (request: SeenRequest) => boolean, index: number): Promise<boolean> {
    let seen = 0;
    const arrived = proxy.arrival((request) => isRemoval(request) && seen++ === index);
    await using running = startWarden(['prune', '--json'], { configFile, env: awsEnvironment(s3.credentials) });
    const first = await Promise.race([arrived.then(() => 'arrived' as const), running.ended]);
    if (first !== 'arrived') return false;
    running.signal('SIGKILL');
    await running.ended;
    return true;
  }

  async function expectWholeOrSweepable(): Promise<void> {
    const complete = (await entries()).filter(({ hasManifest }) => hasManifest);
    expect(complete.length).toBeGreaterThanOrEqual(2);
    const verified = await warden('verify', '--all');
    expect(verified.stderr + verified.stdout).not.toContain('"result":"failed"');
    expect(verified.status).toBe(0);
  }

  async function countObjects(): Promise<number> {
    let count = 0;
    for await (const _ of store.list('', go)) count += 1;
    return count;
  }

  // field: F104
  it('goes on where a backup with a manifest that nobody can read cannot be removed', async () => {
    const places = series(cluster, lineage, { count: 5, everyMs: 60_000, newest: new Date() });
    await storeSeries(store, places);
    const [first] = places;
    const broken = objectKey(first ?? expect.fail('none'), manifestName);
    await store.removeAll([broken], go);
    await store.create(broken, Buffer.from('{ this is no JSON'), go);
    configFile = await configure(keepTwo);
    proxy.break('DeleteObjects', { kind: 'error', status: 501, code: 'NotImplemented' });
    proxy.break(({ operation, url }) => operation === 'DeleteObject' && url.pathname.endsWith(broken), {
      kind: 'error',
      status: 403,
      code: 'AccessDenied',
    });
    const pruned = await warden('prune');
    expect(pruned.status).toBe(5);
    expect(pruned.json()).toMatchObject({ error: { code: 'partly-pruned' } });
    expect((await entries()).map(({ place }) => place.id.text)).toEqual(
      [places[4], places[3], places[0]].map((place) => place?.id.text),
    );
    expect((await warden('list')).status).toBe(0);
    expect((await warden('verify', 'latest')).status).toBe(0);
  });
});

interface PrunedDocument {
  readonly repositories: readonly { readonly backups: readonly { id: string; action: string; reasons: string[] }[] }[];
}

function decisionsOf(document: unknown): unknown {
  return (document as PrunedDocument).repositories.map(({ backups }) =>
    backups.map(({ id, action, reasons }) => ({ id, action, reasons })),
  );
}
